/*
 * hone: fine-tunes sentence-embedding models inside a program. The C interface.
 *
 * HANDLES. hone_runtime, hone_config, hone_model, hone_dataset, hone_trainer, hone_job, hone_buffer and hone_error are
 * opaque and counted by reference: X_retain() adds one and returns the handle, X_release() takes one away; releasing
 * NULL does nothing. A handle keeps alive what it was made from, so references may be released in any order.
 *
 * ERRORS. Most functions return a hone_status (HONE_OK or a negative code) and take a last parameter `error`: where it
 * is not NULL and the call fails, it receives a hone_error of the caller's (release it), otherwise it is left alone.
 * Output parameters are written on success only. A message is one line of UTF-8 that names the argument, option, file,
 * row or column, what was found and what was expected. Functions that return a number return a negative hone_status for
 * a bad handle. Every function checks its arguments: NULL, a handle of another type or one that was released is
 * HONE_EINVAL (a released handle is memory that is not the caller's any more: it is found out where possible, not
 * always).
 *
 * STRINGS. UTF-8. Keys and paths end with NUL; texts are hone_str {data, size} and may hold NUL. Strings that are
 * returned are borrowed from the handle they were asked of and live as long as it.
 *
 * THREADS. Any thread may call; the first column says what may be called at once on one handle:
 *     runtime, model, job, buffer, error      everything
 *     dataset                                 everything that reads; rows are added by one thread at a time, before use
 *     config, trainer                         one thread at a time
 * Reference counts may be changed by any thread at any time. No function is fit for a signal handler. A process may not
 * fork after hone_runtime_create() and go on using hone in the child. Before main() returns, wait for every job, or for
 * its on_release: releasing a job's handle does not end its thread. Nothing is started before hone_runtime_create().
 *
 * SHAPES. Vectors are float32, row-major [rows, dim] without gaps. Sizes count elements, not bytes, unless said.
 *
 * Every function exists since the version in its @since line. Before 1.0 a minor version may change anything; the
 * library's name carries it (libhone.so.0.1).
 */
#ifndef HONE_H
#define HONE_H

#include <stddef.h>
#include <stdint.h>

#define HONE_VERSION_MAJOR 0
#define HONE_VERSION_MINOR 1
#define HONE_VERSION_PATCH 0

#if defined(__GNUC__)
#define HONE_API __attribute__((visibility("default")))
#else
#define HONE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------------------------------- types */

typedef int32_t hone_status;

enum {
  HONE_OK = 0,
  HONE_EINVAL = -1,     /* an argument or an option that cannot be: the caller's mistake, nothing was done */
  HONE_EFORMAT = -2,    /* data given in memory is broken: not UTF-8, a missing column, a label that is no number */
  HONE_EFAILED = -3,    /* what was asked could not be done: a file, a model folder, a device, a loss that is NaN */
  HONE_EBUSY = -4,      /* the handle is at work: a trainer with a running job, a dataset in use */
  HONE_ETIMEDOUT = -5,  /* the time is over, the job goes on */
  HONE_ECANCELLED = -6, /* the job was cancelled before it had a result */
  HONE_EDEADLOCK = -7,  /* a callback would wait for the job it belongs to */
  HONE_ENOMEM = -8,     /* no memory */
  HONE_EINTERNAL = -9   /* a defect of hone */
};

typedef struct hone_error hone_error;
typedef struct hone_runtime hone_runtime;
typedef struct hone_config hone_config;
typedef struct hone_model hone_model;
typedef struct hone_dataset hone_dataset;
typedef struct hone_trainer hone_trainer;
typedef struct hone_job hone_job;
typedef struct hone_buffer hone_buffer;

typedef struct hone_str {
  const char *data; /* NULL only where size is 0 */
  size_t size;      /* bytes */
} hone_str;

typedef struct hone_vector {
  const float *data; /* NULL only where size is 0 */
  size_t size;       /* numbers */
} hone_vector;

/*
 * SIZED STRUCTS begin with struct_size. Set it to sizeof of the struct you were compiled with before a call; the
 * library touches no more than that and writes back how much of it is filled or read, so that an older program works
 * with a newer library and the other way round. A struct_size smaller than the fields that cannot be done without is
 * HONE_EINVAL.
 */

/* ---------------------------------------------------------------------------------------------------- the library */

/** Version of the library, "0.1.0". @since 0.1.0 */
HONE_API const char *hone_version(void);

/** What it was built with: version and compiler, in one line. @since 0.1.0 */
HONE_API const char *hone_build_info(void);

/** Name of a status, "HONE_EINVAL"; "unknown" for a number that is none. @since 0.1.0 */
HONE_API const char *hone_status_name(hone_status status);

/* ---------------------------------------------------------------------------------------------------- errors */

/** Status the error came with; HONE_EINVAL where `error` is not an error. @since 0.1.0 */
HONE_API hone_status hone_error_code(const hone_error *error);

/** One line, borrowed from `error`; never NULL. @since 0.1.0 */
HONE_API const char *hone_error_message(const hone_error *error);

/** Name of the argument or option that was wrong, or "". Borrowed; never NULL. @since 0.1.0 */
HONE_API const char *hone_error_subject(const hone_error *error);

/** Row of data the error is about, from 0; -1 where it is about none. @since 0.1.0 */
HONE_API int64_t hone_error_row(const hone_error *error);

/** One reference more. NULL gives NULL. @since 0.1.0 */
HONE_API hone_error *hone_error_retain(hone_error *error);

/** One reference less. @since 0.1.0 */
HONE_API void hone_error_release(hone_error *error);

/* ---------------------------------------------------------------------------------------------------- buffers */

/**
 * Bytes the library made: JSON, a text. After the last byte lies a NUL that `size` does not count.
 *
 * @param buffer  the buffer
 * @param size    out, may be NULL: number of bytes
 * @return        borrowed from `buffer`; NULL where `buffer` is not a buffer
 * @since 0.1.0
 */
HONE_API const char *hone_buffer_data(const hone_buffer *buffer, size_t *size);

/** One reference more. NULL gives NULL. @since 0.1.0 */
HONE_API hone_buffer *hone_buffer_retain(hone_buffer *buffer);

/** One reference less. @since 0.1.0 */
HONE_API void hone_buffer_release(hone_buffer *buffer);

/* ---------------------------------------------------------------------------------------------------- options */

enum { HONE_TYPE_STR = 1, HONE_TYPE_INT = 2, HONE_TYPE_REAL = 3, HONE_TYPE_BOOL = 4 };

/* An option as the library describes it. Strings live as long as the process. */
typedef struct hone_option {
  size_t struct_size;
  const char *name;          /* "train.batch_size" */
  int32_t type;              /* HONE_TYPE_... */
  int32_t reserved;          /* 0 */
  const char *default_value; /* as text; "" where it depends on model or data */
  const char *range;         /* what is allowed, in words: "1 to 65536" */
  const char *help;          /* one line */
} hone_option;

/** Number of options. @since 0.1.0 */
HONE_API size_t hone_option_count(void);

/**
 * Describes option `index` (from 0, in the order of the command line's help).
 *
 * @param index  below hone_option_count()
 * @param out    in: struct_size; out: the rest
 * @return       HONE_OK; HONE_EINVAL
 * @since 0.1.0
 */
HONE_API hone_status hone_option_describe(size_t index, hone_option *out, hone_error **error);

/**
 * The losses that train.loss takes: [{"name", "columns", "use", "formula", "source", "in_batch_negatives", "options":
 * [{"name", "default", "range", "help"}]}]; the options are for train.loss_options, "name=value,...".
 *
 * @param out  out: JSON, owned by the caller
 * @return     HONE_OK; HONE_EINVAL, HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_losses(hone_buffer **out, hone_error **error);

/**
 * An empty set of options: everything has its default value. What reads a config takes a copy, so it may be changed or
 * released afterwards. Functions that take `const hone_config *options` accept NULL for an empty one and ignore options
 * that are not theirs: one config may serve all.
 *
 * @param out  out: owned by the caller
 * @return     HONE_OK; HONE_EINVAL, HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_config_create(hone_config **out, hone_error **error);

/**
 * Sets an option. The key and the value's type and range are checked now: an unknown key is HONE_EINVAL and names the
 * nearest one, so are a value out of range and one of another type (a whole number is accepted for a real option).
 * Texts with a form of their own (names of losses, lists, sizes, patterns) are checked where they are used.
 *
 * @param config  in, changed
 * @param key     "train.batch_size"
 * @param value   of the option's type
 * @return        HONE_OK; HONE_EINVAL
 * @since 0.1.0
 */
HONE_API hone_status hone_config_set_str(hone_config *config, const char *key, const char *value, hone_error **error);
/** See hone_config_set_str(). @since 0.1.0 */
HONE_API hone_status hone_config_set_int(hone_config *config, const char *key, int64_t value, hone_error **error);
/** See hone_config_set_str(). @since 0.1.0 */
HONE_API hone_status hone_config_set_real(hone_config *config, const char *key, double value, hone_error **error);
/** See hone_config_set_str(); value is 0 or 1. @since 0.1.0 */
HONE_API hone_status hone_config_set_bool(hone_config *config, const char *key, int32_t value, hone_error **error);

/** One reference more. NULL gives NULL. @since 0.1.0 */
HONE_API hone_config *hone_config_retain(hone_config *config);

/** One reference less. @since 0.1.0 */
HONE_API void hone_config_release(hone_config *config);

/* ---------------------------------------------------------------------------------------------------- runtime */

/**
 * Threads and device that everything made from it works with. A process may have several.
 *
 * @param options  in, may be NULL: runtime.*
 * @param out      out: owned by the caller
 * @return         HONE_OK; HONE_EINVAL; HONE_EFAILED where the device is not there; HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_runtime_create(const hone_config *options, hone_runtime **out, hone_error **error);

enum { HONE_LOG_ERROR = 1, HONE_LOG_WARNING = 2, HONE_LOG_INFO = 3 };

/* Where messages for people go. Called by any thread, also by several at once, never under a lock of hone's. */
typedef struct hone_log_sink {
  size_t struct_size;
  void *user_data;
  void (*on_message)(void *user_data, int32_t level,
                     const char *message); /* message: one line, valid during the call */
  void (*on_release)(void *user_data); /* may be NULL; once, after the last message: sink replaced or runtime gone */
} hone_log_sink;

/**
 * Sets or, with NULL, removes the sink. Without one nothing is said. On failure on_release is not called.
 *
 * @param runtime  the runtime
 * @param sink     in, may be NULL; copied
 * @param level    messages up to this level are given
 * @return         HONE_OK; HONE_EINVAL
 * @since 0.1.0
 */
HONE_API hone_status hone_runtime_set_log(hone_runtime *runtime, const hone_log_sink *sink, int32_t level,
                                          hone_error **error);

/**
 * {"engine": "...", "threads": N, "devices": [{"name", "description", "bytes"}], "warnings": [lines for people],
 * "no_gpu": "why" or null}. "threads" is what is there: fewer than runtime.threads asks for where the system lets this
 * process make no more, which a warning says. "bytes" of the processor is the memory that this process may use.
 *
 * @param runtime  the runtime
 * @param out      out: JSON, owned by the caller
 * @return         HONE_OK; HONE_EINVAL, HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_runtime_info(const hone_runtime *runtime, hone_buffer **out, hone_error **error);

/** One reference more. NULL gives NULL. @since 0.1.0 */
HONE_API hone_runtime *hone_runtime_retain(hone_runtime *runtime);

/** One reference less. Jobs that run keep the runtime until they end. @since 0.1.0 */
HONE_API void hone_runtime_release(hone_runtime *runtime);

/* ---------------------------------------------------------------------------------------------------- Arrow's C
 * structs */

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char *format;
  const char *name;
  const char *metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema **children;
  struct ArrowSchema *dictionary;
  void (*release)(struct ArrowSchema *);
  void *private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void **buffers;
  struct ArrowArray **children;
  struct ArrowArray *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
  int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
  const char *(*get_last_error)(struct ArrowArrayStream *);
  void (*release)(struct ArrowArrayStream *);
  void *private_data;
};

#endif /* ARROW_C_STREAM_INTERFACE */

/* ---------------------------------------------------------------------------------------------------- models */

/**
 * Reads a Sentence Transformers folder (old or new schema; safetensors). A model never changes. A folder with an
 * adapter (adapter_config.json) is refused: merge it into the weights first. The weights stay in the mapped file as
 * long as a model made from it lives: who empties the file or writes over it in place meanwhile gets wrong vectors or
 * SIGBUS. Replacing it by a rename is safe, and so is any change where runtime.weights is "read": the file is copied
 * then.
 *
 * @param runtime  what it will work with
 * @param folder   path
 * @param out      out: owned by the caller
 * @return         HONE_OK; HONE_EINVAL; HONE_EFAILED naming file and place; HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_model_load(hone_runtime *runtime, const char *folder, hone_model **out, hone_error **error);

/**
 * Writes the folder beside its place and swaps it in. A folder that exists is refused unless save.overwrite is set, and
 * one that holds no model even then.
 *
 * @param model    the model
 * @param folder   path
 * @param options  in, may be NULL: save.*
 * @return         HONE_OK; HONE_EINVAL; HONE_EFAILED; HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_model_save(const hone_model *model, const char *folder, const hone_config *options,
                                     hone_error **error);

/** Numbers of a vector, where encode.dim does not ask for fewer. @return above 0; HONE_EINVAL @since 0.1.0 */
HONE_API int32_t hone_model_dim(const hone_model *model);

/** Tokens a text is cut to, special tokens included. @return above 0; HONE_EINVAL @since 0.1.0 */
HONE_API int32_t hone_model_max_length(const hone_model *model);

/**
 * {"folder", "dim", "max_length", "parameters", "layers", "hidden_size", "heads", "pooling", "similarity",
 * "normalizes", "prompts": {name: text}, "default_prompt": its name, or ""}
 *
 * @param model  the model
 * @param out    out: JSON, owned by the caller
 * @return       HONE_OK; HONE_EINVAL, HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_model_info(const hone_model *model, hone_buffer **out, hone_error **error);

/**
 * Texts to vectors. Any number of threads may encode with one model at once; results do not depend on it. Before each
 * text stands the model's default prompt, or what encode.role or encode.prompt names: "query" for what is looked for,
 * "document" for what is found.
 *
 * @param model       the model
 * @param texts       in: [count]
 * @param count       number of texts; 0 is allowed
 * @param options     in, may be NULL: encode.*
 * @param out         out: [count, dim], the caller's memory; dim: encode.dim where it is set, else hone_model_dim()
 * @param out_floats  floats `out` has room for; fewer than count * dim is HONE_EINVAL and nothing is written
 * @return            HONE_OK; HONE_EINVAL; HONE_EFORMAT with the row of a text that is not UTF-8; HONE_EFAILED;
 * HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_model_encode(const hone_model *model, const hone_str *texts, size_t count,
                                       const hone_config *options, float *out, size_t out_floats, hone_error **error);

/**
 * A stream of texts to a stream of vectors: one column "embedding", FixedSizeList<float32>[dim], dim as in
 * hone_model_encode(), a batch for each batch of `in`. Work is done when `out` is asked for its next batch, by the
 * thread that asks; `in` is asked by that thread too. The column of texts (utf8 or large_utf8) is encode.column, else
 * "text", else the only one. A null text is an error. Of a batch no more than a few ten thousand texts are copied at
 * once.
 *
 * @param model    the model; kept by `out`
 * @param in       in: taken over in every case, its release is cleared
 * @param options  in, may be NULL: encode.*
 * @param out      out: the caller's struct; release it by its own release()
 * @return         HONE_OK; HONE_EINVAL; HONE_EFORMAT for a schema without such a column; HONE_EFAILED; HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_model_encode_arrow(const hone_model *model, struct ArrowArrayStream *in,
                                             const hone_config *options, struct ArrowArrayStream *out,
                                             hone_error **error);

/**
 * Scores the model on a dataset: {"task", "pairs" or "triplets" or "texts" or "queries": how many, NAME: score, ...,
 * "NAME_95": [low, high], ..., "warnings": [lines for people]: what looks wrong with the data}, and "dim" where
 * encode.dim is set; a score that does not exist is null. Tasks and the
 * columns they want: sts (sentence1, sentence2, score), binary (the same, scores 0 or 1), triplet (anchor, positive,
 * negative), pairs (anchor, positive, or sentence1, sentence2: each finds its positive among all of the dataset; an id
 * that data.columns names when the rows are read tells more that belong together), mse (text, vector); retrieval wants
 * hone_dataset_read_retrieval(). pairs and retrieval have "passages" and "relevant" too. Names and values are those of
 * the evaluators of Sentence Transformers (of its InformationRetrievalEvaluator for pairs); intervals are 95 %
 * bootstraps, of every score from the same resamples.
 *
 * Where eval.task is not set, the columns decide: triplet where there is a negative, mse, sts where there is a score,
 * else pairs; retrieval of a corpus. Anchors and positives with a score suit none.
 *
 * Queries and anchors get the model's prompt for queries, passages, positives and negatives that for documents, other
 * texts its default prompt; eval.prompts changes that, and "prompts" says what stood before which texts where anything
 * did.
 *
 * @param model    the model
 * @param dataset  with the task's columns
 * @param options  in, may be NULL: eval.task, eval.similarity, eval.margin, eval.prompts, encode.dim
 * @param out      out: JSON, owned by the caller
 * @return         HONE_OK; HONE_EINVAL; HONE_EFORMAT where the data do not suit the task; HONE_EFAILED; HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_model_evaluate(const hone_model *model, const hone_dataset *dataset,
                                         const hone_config *options, hone_buffer **out, hone_error **error);

/**
 * Scores two models on the same data, and how sure their difference is: what hone_model_evaluate() says of `model`, and
 * "compare": {"scores": {NAME: score, ..., "NAME_95"} of `other`, "NAME_difference": `model` minus `other` of the first
 * score, "difference_95": [low, high], "share_better": of the resamples, those in which `model` is better,
 * "differences": {NAME:
 * {"difference", "low", "high", "share_better"}} of every score}, with
 * "prompts" where `other` has any. The interval is a 95 % paired bootstrap: both are resampled alike. Both are scored
 * by one similarity: where eval.similarity is not set, that of `model`.
 *
 * @param model    the model
 * @param other    what it is compared with; may be of another runtime, or the same model
 * @param dataset  with the task's columns
 * @param options  in, may be NULL: as for hone_model_evaluate()
 * @param out      out: JSON, owned by the caller
 * @return         as hone_model_evaluate()
 * @since 0.1.0
 */
HONE_API hone_status hone_model_compare(const hone_model *model, const hone_model *other, const hone_dataset *dataset,
                                        const hone_config *options, hone_buffer **out, hone_error **error);

/**
 * The texts of a corpus nearest to each query, exactly, by the model's similarity (cosine, dot, or a negated distance).
 * A text that is there several times counts once, at its first place. Queries and corpus get the model's prompts for
 * queries and for documents; search.prompts changes that. Any number of threads may search with one model at once. The
 * corpus is encoded anew by each call: ask for many queries at once. Memory grows with its texts, not with its vectors.
 *
 * @param model         the model
 * @param corpus        in: [corpus_count]
 * @param corpus_count  number of texts; 0 is allowed: nothing is found
 * @param queries       in: [query_count]
 * @param query_count   number of queries; 0 is allowed
 * @param top           how many texts to find for each query, 1 or more
 * @param options       in, may be NULL: search.prompts, encode.dim
 * @param indices       out: [query_count, top], the caller's memory: places in `corpus`, best first, equal scores by
 *                      lower place; -1 where the corpus has fewer different texts
 * @param scores        out: [query_count, top], the caller's memory: the similarity of each; NaN where the index is -1
 * @param out_places    places that `indices` and `scores` have each; fewer than query_count * top is HONE_EINVAL and
 *                      nothing is written
 * @return              HONE_OK; HONE_EINVAL; HONE_EFORMAT with the row of a text that is not UTF-8; HONE_EFAILED;
 *                      HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_model_nearest(const hone_model *model, const hone_str *corpus, size_t corpus_count,
                                        const hone_str *queries, size_t query_count, size_t top,
                                        const hone_config *options, int64_t *indices, float *scores, size_t out_places,
                                        hone_error **error);

/** One reference more. NULL gives NULL. @since 0.1.0 */
HONE_API hone_model *hone_model_retain(hone_model *model);

/** One reference less. @since 0.1.0 */
HONE_API void hone_model_release(hone_model *model);

/* ---------------------------------------------------------------------------------------------------- datasets */

/**
 * Reads a file of rows: .jsonl, .csv or .tsv, each also .gz. Columns are found by name: those that the loss train.loss
 * and the task eval.task want. Where both are set, one of the two may lack its own, so that one config serves the rows
 * to train on and those to evaluate on. Where neither is set, they are those of the loss that suits what is there
 * (sentence1, sentence2 and score; anchor and positive, maybe with negative, negative_1, ...; text and vector).
 * data.columns names others ("anchor=question,positive=answer"; a name with a comma is put in quotes,
 * "anchor=\"last, first\"", a quote in it doubled). Other columns are not read. An id may be null or missing.
 *
 * @param runtime  kept by the dataset
 * @param file     path
 * @param options  in, may be NULL: data.columns, train.loss, eval.task
 * @param out      out: owned by the caller
 * @return         HONE_OK; HONE_EINVAL; HONE_EFAILED naming file, line and column; HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_dataset_read(hone_runtime *runtime, const char *file, const hone_config *options,
                                       hone_dataset **out, hone_error **error);

/**
 * The same from Arrow: texts are utf8 or large_utf8, ids also int32 or int64, labels float32, float64, int32 or int64,
 * vectors FixedSizeList, List or LargeList of float32 or float64; nulls are refused, also within a vector, but for an
 * id; other columns are ignored. Everything is copied before the call returns; the stream is read by the calling
 * thread.
 *
 * @param runtime  kept by the dataset
 * @param stream   in: taken over in every case, its release is cleared
 * @param options  in, may be NULL: data.columns, train.loss, eval.task
 * @param out      out: owned by the caller
 * @return         HONE_OK; HONE_EINVAL; HONE_EFORMAT naming row and column; HONE_EFAILED where the stream failed;
 * HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_dataset_from_arrow(hone_runtime *runtime, struct ArrowArrayStream *stream,
                                             const hone_config *options, hone_dataset **out, hone_error **error);

/**
 * An empty dataset to add rows to.
 *
 * @param runtime  kept by the dataset
 * @param columns  in: [count] names; their order is that of the values of a row
 * @param count    number of columns
 * @param options  in, may be NULL: data.columns, train.loss, eval.task
 * @param out      out: owned by the caller
 * @return         HONE_OK; HONE_EINVAL; HONE_EFORMAT where a column is missing; HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_dataset_create(hone_runtime *runtime, const char *const *columns, size_t count,
                                         const hone_config *options, hone_dataset **out, hone_error **error);

/* A value of a row. What its column is decides which member is read; the others may stay zero. */
typedef struct hone_value {
  hone_str text;
  double number;
  hone_vector vector;
} hone_value;

/**
 * Adds a row. Texts and vectors are copied. Every vector of a column has as many numbers as the first row's. A row that
 * is refused is not added.
 *
 * @param dataset  made by hone_dataset_create(), not yet used by a trainer or an evaluation
 * @param values   in: [count], in the order of the columns
 * @param count    number of columns
 * @return         HONE_OK; HONE_EINVAL; HONE_EFORMAT naming row and column; HONE_EBUSY once it was used; HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_dataset_add(hone_dataset *dataset, const hone_value *values, size_t count,
                                      hone_error **error);

/**
 * Adds the rows of `other` behind those of `dataset`: several files, or rows from several places, as one to train on.
 * Both have the same roles and kinds of values; the columns may have other names. Rows are copied, so `other` stays as
 * it is, and a message about a row names the file it came from. Where `other` is `dataset` itself, its rows are there
 * twice. Where similarity labels of the two lie on different scales (-1 to 1, 0 to 5), hone_trainer_create() refuses
 * them by name unless train.label_scale divides all alike. A trainer or an evaluation took the rows as they were: once
 * it did, `dataset` grows no more. Neither does hone_dataset_add() add to either of the two after this call.
 *
 * @param dataset  in, changed: not yet used by a trainer or an evaluation
 * @param other    in: used or not
 * @return         HONE_OK; HONE_EINVAL, also where one has no rows; HONE_EFORMAT naming the columns that differ, or for
 *                 a corpus; HONE_EBUSY once `dataset` was used; HONE_ENOMEM. Rows are added wholly or not at all.
 * @since 0.1.0
 */
HONE_API hone_status hone_dataset_append(hone_dataset *dataset, const hone_dataset *other, hone_error **error);

/**
 * A corpus with queries and the passages judged relevant to each, in the layout of BEIR: for the task retrieval, not to
 * train on. Of hone_model_evaluate() and of a trainer's evaluation; memory grows with the corpus' texts and tokens, not
 * with its vectors. Each file may be .jsonl, .csv or .tsv, each also .gz.
 *
 * @param runtime  kept by the dataset
 * @param corpus   path: rows with _id, text and perhaps title
 * @param queries  path: _id, text
 * @param qrels    path: query-id, corpus-id, score; above 0 is relevant
 * @param out      out: owned by the caller
 * @return         HONE_OK; HONE_EINVAL; HONE_EFAILED naming file, line and column; HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_dataset_read_retrieval(hone_runtime *runtime, const char *corpus, const char *queries,
                                                 const char *qrels, hone_dataset **out, hone_error **error);

/** Number of rows; of queries where there is a corpus. @return 0 or more; HONE_EINVAL @since 0.1.0 */
HONE_API int64_t hone_dataset_size(const hone_dataset *dataset);

/**
 * {"source", "rows", "columns": {role: {"name", "type": "text", "number" or "vector"}}, "head": [{role: value}]}; a
 * column of vectors has "width" too, 0 before the first row. Of a corpus {"source", "rows", "passages", "head": [{"id",
 * "query", "relevant": [ids of passages]}]}.
 *
 * @param dataset  the dataset
 * @param head     number of first rows to show
 * @param out      out: JSON, owned by the caller
 * @return         HONE_OK; HONE_EINVAL, HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_dataset_info(const hone_dataset *dataset, size_t head, hone_buffer **out, hone_error **error);

/** One reference more. NULL gives NULL. @since 0.1.0 */
HONE_API hone_dataset *hone_dataset_retain(hone_dataset *dataset);

/** One reference less. @since 0.1.0 */
HONE_API void hone_dataset_release(hone_dataset *dataset);

/* ---------------------------------------------------------------------------------------------------- training */

enum { HONE_JOB_RUNNING = 1, HONE_JOB_FINISHED = 2, HONE_JOB_FAILED = 3, HONE_JOB_CANCELLED = 4 };

typedef struct hone_progress {
  size_t struct_size;
  int32_t state;                    /* HONE_JOB_... */
  int32_t reserved;                 /* 0 */
  uint64_t steps_done, steps_total; /* of the whole run, also of a resumed one */
  uint64_t examples_done;           /* rows trained on by this job */
  double loss;                      /* of the last step; NaN before it */
  double learning_rate;             /* of the last step */
  double seconds;                   /* since the first step began */
  double metric;                    /* train.metric of the last evaluation; NaN before it */
  double best_metric;               /* of the best evaluation, the base model's not counted; NaN before it */
} hone_progress;

/*
 * Called one at a time, on a thread of the job's, never under a lock of hone's. Callbacks may use the job they belong
 * to (hone_job_wait gives HONE_EDEADLOCK there) and every other handle. An exception or panic that leaves a callback
 * ends the process.
 */
typedef struct hone_job_callbacks {
  size_t struct_size;
  void *user_data;
  int32_t (*on_progress)(void *user_data, const hone_progress *progress);     /* may be NULL; not 0 cancels */
  void (*on_finish)(void *user_data, int32_t state, const hone_error *error); /* may be NULL; exactly once */
  void (*on_release)(void *user_data);                                        /* may be NULL; last, exactly once */
} hone_job_callbacks;

/**
 * Makes a trainer with the loss train.loss, or the one that suits the dataset's columns: cosine-similarity loss on
 * sentence1, sentence2 and score, multiple-negatives ranking on anchor and positive, ... (hone_losses() lists all).
 * Texts are tokenized here, without a prompt unless train.prompts says otherwise; the evaluation has its own.
 *
 * With train.hold_out, that share of the rows is evaluated on and not trained on. The first text of a row (anchor,
 * sentence1, text) decides, by a hash that is the same everywhere: none is on both sides, whatever the order of the
 * rows; nor is an id, where ids were read. The task is eval.task, or the one that suits the dataset, binary where all
 * scores are 0 or 1. HONE_EINVAL where less than two rows would be left on either side.
 *
 * @param model       to start from; never changed
 * @param dataset     with the loss's columns
 * @param evaluation  may be NULL: rows of a task (hone_model_evaluate()), to keep the weights of the best step
 *                    (train.metric) and to end with a verdict; NULL with train.hold_out
 * @param options     in, may be NULL: train.*, and for the evaluation eval.* and encode.dim
 * @param out         out: owned by the caller
 * @return            HONE_OK; HONE_EINVAL; HONE_EFORMAT naming a row whose label cannot be; HONE_EFAILED; HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_trainer_create(hone_model *model, hone_dataset *dataset, hone_dataset *evaluation,
                                         const hone_config *options, hone_trainer **out, hone_error **error);

/**
 * Trains in the background. Where it fails, no callback is called and user_data stays the caller's; otherwise
 * on_release gives it back. Releasing the last reference to a running job cancels it and returns at once. The trainer
 * answers HONE_EBUSY until the job has ended; started again it trains anew.
 *
 * With train.out set, the tuned model and checkpoints are written to that folder as `hone train` does (train.existing
 * says whether to refuse, resume or overwrite what lies there), and a cancelled job keeps a checkpoint. So does one
 * that train.max_minutes or train.patience ended, beside its model: resumed with a larger one it ends with the bits of
 * a job that had that from the start. train.max_minutes are those of this job, not of earlier ones that it resumes.
 *
 * @param trainer    the trainer
 * @param callbacks  in, may be NULL; copied
 * @param out        out: owned by the caller
 * @return           HONE_OK; HONE_EINVAL; HONE_EBUSY; HONE_EFAILED; HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_trainer_start(hone_trainer *trainer, const hone_job_callbacks *callbacks, hone_job **out,
                                        hone_error **error);

/**
 * One step in the calling thread, for hosts that own the loop: no evaluation, no checkpoint. Steps, their order and
 * their learning rates are those of a job. After the last, HONE_EINVAL. The first tells the log sink what a job says
 * before its first step, warnings among it; so does hone_trainer_forward().
 *
 * @param trainer   the trainer
 * @param progress  in: struct_size; out: the rest; may be NULL
 * @return          HONE_OK; HONE_EINVAL; HONE_EBUSY; HONE_EFAILED where the loss is no number; HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_trainer_step(hone_trainer *trainer, hone_progress *progress, hone_error **error);

/* The vectors of a batch, borrowed from the trainer until its next call. */
typedef struct hone_batch {
  size_t struct_size;
  uint64_t step;           /* from 0 */
  size_t rows, roles, dim; /* roles: the texts of a row, in the order of the loss's columns */
  const float *embeddings; /* [roles, rows, dim] */
  const double *labels;    /* [rows, label_width]; similarity labels divided by the label scale */
  const uint64_t *indices; /* [rows]: which rows of the dataset */
  size_t label_width;      /* numbers of a row's label; 0: the loss has none */
} hone_batch;

/**
 * For a loss of the host's: the vectors of the next batch. Then hone_trainer_backward() makes the step. Called again
 * before that, it gives the same batch.
 *
 * @param trainer  the trainer
 * @param batch    in: struct_size; out: the rest
 * @return         HONE_OK; HONE_EINVAL, also after the last step; HONE_EBUSY; HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_trainer_forward(hone_trainer *trainer, hone_batch *batch, hone_error **error);

/**
 * Ends the step that hone_trainer_forward() began: backward, clipping, AdamW.
 *
 * @param trainer   the trainer
 * @param gradient  in: [roles, rows, dim], of the host's loss by the vectors
 * @param floats    number of floats in `gradient`
 * @param loss      the host's loss, for the progress
 * @param progress  in: struct_size; out: the rest; may be NULL
 * @return          HONE_OK; HONE_EINVAL, also without hone_trainer_forward(); HONE_EBUSY; HONE_EFAILED where the
 * gradient is no number; HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_trainer_backward(hone_trainer *trainer, const float *gradient, size_t floats, double loss,
                                           hone_progress *progress, hone_error **error);

/**
 * The model as trained by steps so far (before the first: a copy of the one it began with).
 *
 * @param trainer  the trainer
 * @param out      out: a new model, owned by the caller
 * @return         HONE_OK; HONE_EINVAL; HONE_EBUSY; HONE_ENOMEM
 * @since 0.1.0
 */
HONE_API hone_status hone_trainer_model(hone_trainer *trainer, hone_model **out, hone_error **error);

/** One reference more. NULL gives NULL. @since 0.1.0 */
HONE_API hone_trainer *hone_trainer_retain(hone_trainer *trainer);

/** One reference less. @since 0.1.0 */
HONE_API void hone_trainer_release(hone_trainer *trainer);

/* ---------------------------------------------------------------------------------------------------- jobs */

/** State of the job, without waiting. @return HONE_JOB_...; HONE_EINVAL @since 0.1.0 */
HONE_API int32_t hone_job_poll(const hone_job *job);

/**
 * Waits until the job has ended and on_finish has returned.
 *
 * @param job         the job
 * @param timeout_ms  milliseconds; negative: for ever
 * @return            HONE_OK: it has ended, in whatever state; HONE_ETIMEDOUT; HONE_EDEADLOCK in a callback of this
 * job; HONE_EINVAL
 * @since 0.1.0
 */
HONE_API hone_status hone_job_wait(hone_job *job, int64_t timeout_ms, hone_error **error);

/**
 * Waits for progress that this function has not given yet; progress that nobody fetched is replaced by newer. The end
 * is never lost: once the job has ended, its last progress is given again and again. For hosts that want no callbacks.
 *
 * @param job         the job
 * @param timeout_ms  milliseconds; negative: for ever
 * @param out         in: struct_size; out: the rest
 * @return            HONE_OK; HONE_ETIMEDOUT; HONE_EDEADLOCK as hone_job_wait(); HONE_EINVAL
 * @since 0.1.0
 */
HONE_API hone_status hone_job_next_event(hone_job *job, int64_t timeout_ms, hone_progress *out, hone_error **error);

/**
 * Asks the job to stop at the next step, or batch of an evaluation, the verdict's included. Returns at once, may be
 * called again and from any thread, also from a callback. A job that is nearly done may still finish. Does nothing for
 * what is not a job. @since 0.1.0
 */
HONE_API void hone_job_cancel(hone_job *job);

/**
 * The tuned model of a finished job: the weights of the best evaluated step, or of the last.
 *
 * @param job  the job
 * @param out  out: one reference, owned by the caller
 * @return     HONE_OK; HONE_EBUSY while it runs; HONE_ECANCELLED; the job's own status where it failed; HONE_EINVAL
 * @since 0.1.0
 */
HONE_API hone_status hone_job_result(const hone_job *job, hone_model **out, hone_error **error);

/**
 * {"steps", "kept_step", "seconds", "already_finished", "ended_early": why, where it ended before its last step, or
 * null, "before": {metric: value} or null, "after": the same, "before_95": {metric: [low, high]} or null: 95 %
 * intervals, "after_95": the same, "checkpoint_bytes": of the checkpoint kept beside the model, 0 where there is none,
 * "verdict": {"metric", "before", "after", "difference",
 * "low", "high", "share_better"} or null: is the tuned model better than the one it was made from, with the 95 %
 * interval of the difference; and what was known before the first step: "loss", "label_scale": what similarity labels
 * were divided by, "prompts": {role: what stood before its texts}, "data": {"rows", "repeated_rows", "texts": different
 * ones, "median_tokens", "longest_tokens", "max_tokens", "cut_texts", and where they are: "different_anchors",
 * "different_positives", "labels": [lowest, highest]}, "estimate": {"seconds", "bytes": at the peak} or null; with
 * train.hold_out "hold_out": {"share", "rows", "trained_rows", "task"}; and "warnings": [lines for people], those
 * before the first step, of the run, and a verdict below the base model} of a finished job. The log sink is told the
 * same while it runs, warnings as HONE_LOG_WARNING.
 *
 * @param job  the job
 * @param out  out: JSON, owned by the caller
 * @return     as hone_job_result()
 * @since 0.1.0
 */
HONE_API hone_status hone_job_report(const hone_job *job, hone_buffer **out, hone_error **error);

/** Why the job failed, borrowed from it; NULL unless it has failed. @since 0.1.0 */
HONE_API const hone_error *hone_job_error(const hone_job *job);

/** One reference more. NULL gives NULL. @since 0.1.0 */
HONE_API hone_job *hone_job_retain(hone_job *job);

/** One reference less; the last one cancels a running job and does not wait. @since 0.1.0 */
HONE_API void hone_job_release(hone_job *job);

#ifdef __cplusplus
}
#endif

#endif /* HONE_H */
