/* A program of one file that uses hone as use.h says. */
#include "use.h"

int main(int argc, char** argv) {
  const char* problem = argc == 2 ? use_hone(argv[1]) : "usage: use MODEL";
  if (problem != NULL) fprintf(stderr, "%s\n", problem);
  return problem != NULL;
}
