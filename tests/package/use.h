/*
 * What each program of these tests does with hone: threads (TBB), an error thrown and caught inside, a model
 * read, texts tokenized (Rust) and encoded (Highway). Returns NULL, or what went wrong.
 */
#ifndef HONE_TESTS_PACKAGE_USE_H
#define HONE_TESTS_PACKAGE_USE_H

#include <hone.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char* use_hone(const char* folder) {
  hone_error* error = NULL;
  hone_config* config = NULL;
  hone_runtime* runtime = NULL;
  hone_model* model = NULL;
  const char* device = getenv("USE_DEVICE"); /* the usual one where it is not set */
  const hone_str texts[2] = {{"a storm is coming", 17}, {"heavy rain in the city", 22}};
  char version[32];
  float* vectors;
  int32_t dim, i;
  int same = 1;

  sprintf(version, "%d.%d.%d", HONE_VERSION_MAJOR, HONE_VERSION_MINOR, HONE_VERSION_PATCH);
  if (strcmp(hone_version(), version) != 0) return "the header is of another version than the library";
  if (hone_config_create(&config, &error) != HONE_OK) return hone_error_message(error);
  if (hone_config_set_int(config, "runtime.threads", 2, &error) != HONE_OK) return hone_error_message(error);
  if (device != NULL && hone_config_set_str(config, "runtime.device", device, &error) != HONE_OK)
    return hone_error_message(error);
  if (hone_runtime_create(config, &runtime, &error) != HONE_OK) return hone_error_message(error);
  hone_config_release(config);

  if (hone_model_load(runtime, "no-such-folder", &model, &error) != HONE_EFAILED)
    return "a folder that is not there";
  if (strstr(hone_error_message(error), "no-such-folder") == NULL) return hone_error_message(error);
  hone_error_release(error);
  error = NULL;

  if (hone_model_load(runtime, folder, &model, &error) != HONE_OK) return hone_error_message(error);
  dim = hone_model_dim(model);
  if (dim < 1) return "a model without dimensions";
  vectors = (float*)malloc(2 * (size_t)dim * sizeof(float));
  if (hone_model_encode(model, texts, 2, NULL, vectors, 2 * (size_t)dim, &error) != HONE_OK)
    return hone_error_message(error);
  for (i = 0; i < dim; ++i) {
    if (!(vectors[i] > -1e3f && vectors[i] < 1e3f)) return "a vector that is no vector";
    if (vectors[i] != vectors[dim + i]) same = 0;
  }
  if (same) return "two texts with one vector";
  free(vectors);
  hone_model_release(model);
  hone_runtime_release(runtime);
  return NULL;
}

#endif /* HONE_TESTS_PACKAGE_USE_H */
