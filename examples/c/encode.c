/*
 * encode.c: texts to vectors, and how similar the first text is to each of the others
 *
 *   ./encode MODEL TEXT TEXT...
 *
 * MODEL is a Sentence Transformers folder. Texts are UTF-8. The vectors go into memory of the caller's: one call makes
 * them all, and hone spreads the work over the threads of the runtime.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hone.h>

/* Ends the program with one line where a call has failed. Takes the error's address, as the call does: its value, as an
 * argument beside the call, might be read before the call has set it. */
static void check(hone_status status, hone_error **error) {
  if (status == HONE_OK) return;
  fprintf(stderr, "encode: %s\n", *error != NULL ? hone_error_message(*error) : hone_status_name(status));
  hone_error_release(*error);
  exit(1);
}

static double cosine(const float *u, const float *v, int32_t dim) {
  double uv = 0, uu = 0, vv = 0;
  int32_t i;
  for (i = 0; i < dim; ++i) {
    uv += (double)u[i] * v[i];
    uu += (double)u[i] * u[i];
    vv += (double)v[i] * v[i];
  }
  return uv / sqrt(uu * vv);
}

int main(int argc, char **argv) {
  hone_error *error = NULL;
  hone_runtime *runtime = NULL;
  hone_model *model = NULL;
  hone_str *texts = NULL;
  float *vectors = NULL;
  size_t count, floats, i;
  int32_t dim;

  if (argc < 4) {
    fprintf(stderr, "usage: encode MODEL TEXT TEXT...\n");
    return 1;
  }
  check(hone_runtime_create(NULL, &runtime, &error), &error);
  check(hone_model_load(runtime, argv[1], &model, &error), &error);

  count = (size_t)argc - 2;
  dim = hone_model_dim(model);
  floats = count * (size_t)dim;
  texts = malloc(count * sizeof *texts);
  vectors = malloc(floats * sizeof *vectors);
  if (texts == NULL || vectors == NULL) {
    fprintf(stderr, "encode: no memory\n");
    return 1;
  }
  for (i = 0; i < count; ++i) {
    texts[i].data = argv[i + 2];
    texts[i].size = strlen(argv[i + 2]);
  }
  check(hone_model_encode(model, texts, count, NULL, vectors, floats, &error), &error);

  for (i = 1; i < count; ++i) printf("%.4f  %s\n", cosine(vectors, vectors + i * (size_t)dim, dim), argv[i + 2]);

  free(vectors);
  free(texts);
  hone_model_release(model);
  hone_runtime_release(runtime);
  return 0;
}
