/*
 * static.c: hone inside one file: a program that needs no library of hone's, or none at all, built by one line
 *
 *   cc static.c $(pkg-config --cflags --libs hone-static) -o static               needs libc and libstdc++
 *   cc -static static.c $(pkg-config --static --cflags --libs hone) -o static     needs nothing
 *   ./static [MODEL TEXT]
 *
 * Of the second the linker warns that dlopen() in it needs the shared libraries of this glibc: that is how hone loads
 * its plugin for GPUs, which such a program does without.
 *
 * Without arguments it says which hone is inside; with them it prints the vector of a text, one number per line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hone.h>

/* Ends the program with one line where a call has failed. Takes the error's address, as the call does: its value, as an
 * argument beside the call, might be read before the call has set it. */
static void check(hone_status status, hone_error **error) {
  if (status == HONE_OK) return;
  fprintf(stderr, "static: %s\n", *error != NULL ? hone_error_message(*error) : hone_status_name(status));
  hone_error_release(*error);
  exit(1);
}

int main(int argc, char **argv) {
  hone_error *error = NULL;
  hone_runtime *runtime = NULL;
  hone_model *model = NULL;
  hone_str text;
  float *vector = NULL;
  int32_t dim, i;

  if (argc == 1) {
    printf("hone %s (%s)\n", hone_version(), hone_build_info());
    return 0;
  }
  if (argc != 3) {
    fprintf(stderr, "usage: static [MODEL TEXT]\n");
    return 1;
  }
  check(hone_runtime_create(NULL, &runtime, &error), &error);
  check(hone_model_load(runtime, argv[1], &model, &error), &error);
  dim = hone_model_dim(model);
  vector = malloc((size_t)dim * sizeof *vector);
  if (vector == NULL) {
    fprintf(stderr, "static: no memory\n");
    return 1;
  }
  text.data = argv[2];
  text.size = strlen(argv[2]);
  check(hone_model_encode(model, &text, 1, NULL, vector, (size_t)dim, &error), &error);
  for (i = 0; i < dim; ++i) printf("%.9g\n", (double)vector[i]);

  free(vector);
  hone_model_release(model);
  hone_runtime_release(runtime);
  return 0;
}
