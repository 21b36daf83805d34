/*
 * hone.h for Java. From the header itself come the functions, as static methods of Hone; the typemaps here give them
 * Java's shapes:
 *
 *   hone_error **error               a HoneException is thrown
 *   T **out                          is the result: a Config, Model, ...; of a hone_buffer, its text as a String
 *   const char *                     String, by way of UTF-8 bytes: JNI's own strings are not UTF-8
 *   const hone_str *texts, count     String[]
 *   float *out, out_floats           a direct FloatBuffer in native order, written from its position 0 on
 *
 * Handles are AutoCloseable and have no finalizer. There are no directors: progress is fetched by hone_job_next_event(),
 * so that no thread of hone's ever enters the JVM.
 */
%module Hone

%{
#include <stdlib.h>
#include <string.h>

#include <hone.h>

/* Throws HoneException(code, message in UTF-8, row). */
static void hone_java_throw(JNIEnv *env, hone_error *error) {
  const char *message = hone_error_message(error);
  const jsize size = (jsize)strlen(message);
  jclass type = (*env)->FindClass(env, "hone/HoneException");
  jmethodID make = type == NULL ? NULL : (*env)->GetMethodID(env, type, "<init>", "(I[BJ)V");
  jbyteArray bytes = make == NULL ? NULL : (*env)->NewByteArray(env, size);
  if (bytes != NULL) {
    jobject thrown;
    (*env)->SetByteArrayRegion(env, bytes, 0, size, (const jbyte *)message);
    thrown = (*env)->NewObject(env, type, make, (jint)hone_error_code(error), bytes, (jlong)hone_error_row(error));
    if (thrown != NULL) (*env)->Throw(env, (jthrowable)thrown);
  }
  hone_error_release(error); /* where something was NULL, an exception of the JVM's own is pending */
}

static void hone_java_no_memory(JNIEnv *env) {
  jclass type = (*env)->FindClass(env, "java/lang/OutOfMemoryError");
  if (type != NULL) (*env)->ThrowNew(env, type, "hone: no memory for the arguments of a call");
}

/* A copy of the bytes, with a NUL behind them; NULL with an exception pending. */
static char *hone_java_bytes(JNIEnv *env, jbyteArray bytes, size_t *size) {
  const jsize length = (*env)->GetArrayLength(env, bytes);
  char *copy = malloc((size_t)length + 1);
  if (copy == NULL) {
    hone_java_no_memory(env);
    return NULL;
  }
  (*env)->GetByteArrayRegion(env, bytes, 0, length, (jbyte *)copy);
  copy[length] = '\0';
  if (size != NULL) *size = (size_t)length;
  return copy;
}

static void hone_java_free_texts(hone_str *texts, size_t count) {
  size_t i;
  if (texts == NULL) return;
  for (i = 0; i < count; ++i) free((void *)texts[i].data);
  free(texts);
}

/* The texts of a byte[][]; NULL with an exception pending. */
static hone_str *hone_java_texts(JNIEnv *env, jobjectArray array, size_t count) {
  hone_str *texts = calloc(count == 0 ? 1 : count, sizeof *texts);
  size_t i;
  if (texts == NULL) hone_java_no_memory(env);
  for (i = 0; texts != NULL && i < count; ++i) {
    jbyteArray bytes = (jbyteArray)(*env)->GetObjectArrayElement(env, array, (jsize)i);
    texts[i].data = hone_java_bytes(env, bytes, &texts[i].size);
    /* Local references are few; a call may have many texts. */
    (*env)->DeleteLocalRef(env, bytes);
    if (texts[i].data == NULL) {
      hone_java_free_texts(texts, i);
      return NULL;
    }
  }
  return texts;
}
%}

%include <stdint.i>
%javaconst(1);
%nodefaultctor;
%nodefaultdtor;

/* Counters fit Java's long; BigInteger is of no help. */
%apply long long { uint64_t }

%pragma(java) jniclassclassmodifiers="final class"
%pragma(java) jniclasscode=%{
  static {
    System.load(System.getProperty("hone.native.path"));
  }
%}

/* ---------------------------------------------------------------------------------------------------- handles */

%typemap(javafinalize) SWIGTYPE ""
%typemap(javainterfaces) SWIGTYPE "AutoCloseable"
%typemap(javacode) SWIGTYPE %{
  @Override
  public void close() {
    delete();
  }
%}

%define %handle(NAME, CLASS)
%rename(CLASS) hone_##NAME;
%ignore hone_##NAME##_retain;
%ignore hone_##NAME##_release;
typedef struct hone_##NAME {} hone_##NAME;
%extend hone_##NAME {
  ~hone_##NAME() { hone_##NAME##_release($self); }
}
%typemap(in, numinputs=0) hone_##NAME **out (hone_##NAME *made = NULL) "$1 = &made;"
%typemap(argout) hone_##NAME **out "*($1_ltype)&$result = made$argnum;"
%enddef

%handle(config, Config)
%handle(runtime, Runtime)
%handle(model, Model)
%handle(dataset, Dataset)
%handle(trainer, Trainer)
%handle(job, Job)
%handle(buffer, Buffer)

/* A function whose result is the handle that it makes: its status has become an exception. */
%define %makes(FUNCTION, CLASS)
%typemap(jni) hone_status FUNCTION "jlong"
%typemap(jtype) hone_status FUNCTION "long"
%typemap(jstype) hone_status FUNCTION "CLASS"
%typemap(out) hone_status FUNCTION "(void)$1;"
%typemap(javaout) hone_status FUNCTION { return new CLASS($jnicall, true); }
%enddef

%define %makes_text(FUNCTION)
%makes(FUNCTION, String)
%typemap(javaout) hone_status FUNCTION {
    try (Buffer buffer = new Buffer($jnicall, true)) {
      return hone_buffer_data(buffer);
    }
  }
%enddef

%makes(hone_config_create, Config)
%makes(hone_runtime_create, Runtime)
%makes(hone_model_load, Model)
%makes(hone_dataset_read, Dataset)
%makes(hone_trainer_create, Trainer)
%makes(hone_trainer_start, Job)
%makes(hone_trainer_model, Model)
%makes(hone_job_result, Model)
%makes_text(hone_runtime_info)
%makes_text(hone_model_info)
%makes_text(hone_model_evaluate)
%makes_text(hone_dataset_info)
%makes_text(hone_job_report)

/* ---------------------------------------------------------------------------------------------------- errors */

/* That a wait is over is a result, not an exception. Memory of the arguments is freed after this code, so it only leaves
 * the exception pending. */
%typemap(in, numinputs=0) hone_error **error (hone_error *failure = NULL) "$1 = &failure;"
%typemap(argout) hone_error **error {
  if (failure$argnum != NULL && hone_error_code(failure$argnum) == HONE_ETIMEDOUT) {
    hone_error_release(failure$argnum);
  } else if (failure$argnum != NULL) {
    hone_java_throw(jenv, failure$argnum);
  }
}

/* ---------------------------------------------------------------------------------------------------- texts and vectors */

%typemap(jni) const char * "jbyteArray"
%typemap(jtype) const char * "byte[]"
%typemap(jstype) const char * "String"
%typemap(javain) const char * "Convert.bytes($javainput)"
%typemap(javaout) const char * { return Convert.text($jnicall); }
%typemap(in) const char * {
  $1 = NULL;
  if ($input != NULL && ($1 = hone_java_bytes(jenv, $input, NULL)) == NULL) return $null;
}
%typemap(freearg) const char * "free((void *)$1);"
%typemap(out) const char * {
  if ($1 != NULL) {
    const jsize size = (jsize)strlen($1);
    $result = (*jenv)->NewByteArray(jenv, size);
    if ($result != NULL) (*jenv)->SetByteArrayRegion(jenv, $result, 0, size, (const jbyte *)$1);
  }
}
/* What hone_buffer_data() counts ends with NUL, and JSON has no other. */
%typemap(in, numinputs=0) size_t *size "$1 = NULL;"

%typemap(jni) (const hone_str *texts, size_t count) "jobjectArray"
%typemap(jtype) (const hone_str *texts, size_t count) "byte[][]"
%typemap(jstype) (const hone_str *texts, size_t count) "String[]"
%typemap(javain) (const hone_str *texts, size_t count) "Convert.bytes($javainput)"
%typemap(in) (const hone_str *texts, size_t count) {
  $2 = (size_t)(*jenv)->GetArrayLength(jenv, $input);
  if (($1 = hone_java_texts(jenv, $input, $2)) == NULL) return $null;
}
%typemap(freearg) (const hone_str *texts, size_t count) "hone_java_free_texts((hone_str *)$1, $2);"

%typemap(jni) (float *out, size_t out_floats) "jobject"
%typemap(jtype) (float *out, size_t out_floats) "java.nio.FloatBuffer"
%typemap(jstype) (float *out, size_t out_floats) "java.nio.FloatBuffer"
%typemap(javain) (float *out, size_t out_floats) "Convert.direct($javainput)"
%typemap(in) (float *out, size_t out_floats) {
  $1 = (*jenv)->GetDirectBufferAddress(jenv, $input);
  $2 = (size_t)(*jenv)->GetDirectBufferCapacity(jenv, $input);
}
%typemap(freearg) (float *out, size_t out_floats) ""

/* ---------------------------------------------------------------------------------------------------- progress */

%rename(Progress) hone_progress;
%immutable;
%ignore hone_progress::struct_size;
%ignore hone_progress::reserved;
%extend hone_progress {
  hone_progress() {
    hone_progress *progress = calloc(1, sizeof *progress);
    if (progress != NULL) progress->struct_size = sizeof *progress;
    return progress;
  }
  ~hone_progress() { free($self); }
}
%typemap(in, numinputs=0) const hone_job_callbacks *callbacks "$1 = NULL;"

/* ---------------------------------------------------------------------------------------------------- left out */

/* Callbacks, which would enter the JVM, and what the checks have no use for. */
%ignore hone_job_callbacks;
%ignore hone_log_sink;
%ignore hone_runtime_set_log;
%ignore hone_str;
%ignore hone_vector;
%ignore hone_value;
%ignore hone_option;
%ignore hone_option_describe;
%ignore hone_batch;
%ignore hone_trainer_forward;
%ignore hone_trainer_backward;
%ignore hone_dataset_create;
%ignore hone_dataset_add;
%ignore hone_dataset_from_arrow;
%ignore hone_model_encode_arrow;
%ignore ArrowSchema;
%ignore ArrowArray;
%ignore ArrowArrayStream;
/* Errors arrive as exceptions, that of a job by hone_job_result(). */
%ignore hone_job_error;
%ignore hone_error_code;
%ignore hone_error_message;
%ignore hone_error_subject;
%ignore hone_error_row;
%ignore hone_error_retain;
%ignore hone_error_release;

%include "hone.h"
