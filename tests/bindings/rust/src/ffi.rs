//! What the checks use of hone.h, declared by hand. run_rust.sh compares names with the header, and numbers and layouts
//! with what a C compiler makes of it (layout.c).
#![allow(non_camel_case_types)]

use std::ffi::{c_char, c_void};

pub type hone_status = i32;

pub const HONE_OK: i32 = 0;
pub const HONE_EINVAL: i32 = -1;
pub const HONE_EFORMAT: i32 = -2;
pub const HONE_EFAILED: i32 = -3;
pub const HONE_ETIMEDOUT: i32 = -5;
pub const HONE_ECANCELLED: i32 = -6;

pub const HONE_JOB_RUNNING: i32 = 1;
pub const HONE_JOB_FINISHED: i32 = 2;
pub const HONE_JOB_CANCELLED: i32 = 4;

/// Opaque, and of no use by value: a pointer to one type is never one to another.
macro_rules! handles {
    ($($name:ident),*) => {
        $(#[repr(C)]
        pub struct $name {
            _private: [u8; 0],
            _not_send: std::marker::PhantomData<*mut u8>,
        })*
    };
}
handles!(
    hone_error,
    hone_buffer,
    hone_config,
    hone_runtime,
    hone_model,
    hone_dataset,
    hone_trainer,
    hone_job
);

#[repr(C)]
pub struct hone_str {
    pub data: *const c_char,
    pub size: usize,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hone_progress {
    pub struct_size: usize,
    pub state: i32,
    pub reserved: i32,
    pub steps_done: u64,
    pub steps_total: u64,
    pub examples_done: u64,
    pub loss: f64,
    pub learning_rate: f64,
    pub seconds: f64,
    pub metric: f64,
    pub best_metric: f64,
}

#[repr(C)]
pub struct hone_vector {
    pub data: *const f32,
    pub size: usize,
}

#[repr(C)]
pub struct hone_value {
    pub text: hone_str,
    pub number: f64,
    pub vector: hone_vector,
}

extern "C" {
    pub fn hone_version() -> *const c_char;

    pub fn hone_error_code(error: *const hone_error) -> hone_status;
    pub fn hone_error_message(error: *const hone_error) -> *const c_char;
    pub fn hone_error_subject(error: *const hone_error) -> *const c_char;
    pub fn hone_error_row(error: *const hone_error) -> i64;
    pub fn hone_error_release(error: *mut hone_error);

    pub fn hone_buffer_data(buffer: *const hone_buffer, size: *mut usize) -> *const c_char;
    pub fn hone_buffer_release(buffer: *mut hone_buffer);

    pub fn hone_config_create(out: *mut *mut hone_config, error: *mut *mut hone_error) -> hone_status;
    pub fn hone_config_set_str(
        config: *mut hone_config,
        key: *const c_char,
        value: *const c_char,
        error: *mut *mut hone_error,
    ) -> hone_status;
    pub fn hone_config_set_int(
        config: *mut hone_config,
        key: *const c_char,
        value: i64,
        error: *mut *mut hone_error,
    ) -> hone_status;
    pub fn hone_config_set_real(
        config: *mut hone_config,
        key: *const c_char,
        value: f64,
        error: *mut *mut hone_error,
    ) -> hone_status;
    pub fn hone_config_release(config: *mut hone_config);

    pub fn hone_runtime_create(
        options: *const hone_config,
        out: *mut *mut hone_runtime,
        error: *mut *mut hone_error,
    ) -> hone_status;
    pub fn hone_runtime_release(runtime: *mut hone_runtime);

    pub fn hone_model_load(
        runtime: *mut hone_runtime,
        folder: *const c_char,
        out: *mut *mut hone_model,
        error: *mut *mut hone_error,
    ) -> hone_status;
    pub fn hone_model_save(
        model: *const hone_model,
        folder: *const c_char,
        options: *const hone_config,
        error: *mut *mut hone_error,
    ) -> hone_status;
    pub fn hone_model_dim(model: *const hone_model) -> i32;
    pub fn hone_model_encode(
        model: *const hone_model,
        texts: *const hone_str,
        count: usize,
        options: *const hone_config,
        out: *mut f32,
        out_floats: usize,
        error: *mut *mut hone_error,
    ) -> hone_status;
    pub fn hone_model_retain(model: *mut hone_model) -> *mut hone_model;
    pub fn hone_model_release(model: *mut hone_model);

    pub fn hone_dataset_read(
        runtime: *mut hone_runtime,
        file: *const c_char,
        options: *const hone_config,
        out: *mut *mut hone_dataset,
        error: *mut *mut hone_error,
    ) -> hone_status;
    pub fn hone_dataset_create(
        runtime: *mut hone_runtime,
        columns: *const *const c_char,
        count: usize,
        options: *const hone_config,
        out: *mut *mut hone_dataset,
        error: *mut *mut hone_error,
    ) -> hone_status;
    pub fn hone_dataset_add(
        dataset: *mut hone_dataset,
        values: *const hone_value,
        count: usize,
        error: *mut *mut hone_error,
    ) -> hone_status;
    pub fn hone_dataset_size(dataset: *const hone_dataset) -> i64;
    pub fn hone_dataset_release(dataset: *mut hone_dataset);

    pub fn hone_trainer_create(
        model: *mut hone_model,
        dataset: *mut hone_dataset,
        evaluation: *mut hone_dataset,
        options: *const hone_config,
        out: *mut *mut hone_trainer,
        error: *mut *mut hone_error,
    ) -> hone_status;
    /// `callbacks` is NULL here: progress is fetched.
    pub fn hone_trainer_start(
        trainer: *mut hone_trainer,
        callbacks: *const c_void,
        out: *mut *mut hone_job,
        error: *mut *mut hone_error,
    ) -> hone_status;
    pub fn hone_trainer_release(trainer: *mut hone_trainer);

    pub fn hone_job_poll(job: *const hone_job) -> i32;
    pub fn hone_job_wait(job: *mut hone_job, timeout_ms: i64, error: *mut *mut hone_error) -> hone_status;
    pub fn hone_job_next_event(
        job: *mut hone_job,
        timeout_ms: i64,
        out: *mut hone_progress,
        error: *mut *mut hone_error,
    ) -> hone_status;
    pub fn hone_job_cancel(job: *mut hone_job);
    pub fn hone_job_result(
        job: *const hone_job,
        out: *mut *mut hone_model,
        error: *mut *mut hone_error,
    ) -> hone_status;
    pub fn hone_job_report(
        job: *const hone_job,
        out: *mut *mut hone_buffer,
        error: *mut *mut hone_error,
    ) -> hone_status;
    pub fn hone_job_release(job: *mut hone_job);
}
