/* What a C compiler makes of hone.h, in the form that the Rust program prints of its own declarations. */
#include <stdio.h>

#include <hone.h>

#define TYPE(type) printf(#type " %zu\n", sizeof(type))
#define FIELD(type, field) printf(#type "." #field " %zu\n", offsetof(type, field))
#define NUMBER(name) printf(#name " %d\n", (int)name)

int main(void) {
  TYPE(hone_str);
  FIELD(hone_str, data);
  FIELD(hone_str, size);
  TYPE(hone_vector);
  FIELD(hone_vector, data);
  FIELD(hone_vector, size);
  TYPE(hone_value);
  FIELD(hone_value, text);
  FIELD(hone_value, number);
  FIELD(hone_value, vector);
  TYPE(hone_progress);
  FIELD(hone_progress, struct_size);
  FIELD(hone_progress, state);
  FIELD(hone_progress, reserved);
  FIELD(hone_progress, steps_done);
  FIELD(hone_progress, steps_total);
  FIELD(hone_progress, examples_done);
  FIELD(hone_progress, loss);
  FIELD(hone_progress, learning_rate);
  FIELD(hone_progress, seconds);
  FIELD(hone_progress, metric);
  FIELD(hone_progress, best_metric);
  NUMBER(HONE_OK);
  NUMBER(HONE_EINVAL);
  NUMBER(HONE_EFORMAT);
  NUMBER(HONE_EFAILED);
  NUMBER(HONE_ETIMEDOUT);
  NUMBER(HONE_ECANCELLED);
  NUMBER(HONE_JOB_RUNNING);
  NUMBER(HONE_JOB_FINISHED);
  NUMBER(HONE_JOB_CANCELLED);
  return 0;
}
