//! hone's handles as Rust values: released by Drop, errors as Error, Send and Sync as hone.h's table of threads says.

use crate::ffi::*;
use std::ffi::{c_char, CStr, CString};
use std::ptr::{null, null_mut, NonNull};

/// Owned at once, so that it outlives the handle it came from.
#[derive(Debug, Clone)]
pub struct Error {
    pub code: i32,
    pub message: String,
    pub subject: String,
    pub row: i64,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for Error {}

pub type Result<T> = std::result::Result<T, Error>;

/// # Safety
/// `text` ends with NUL and lives during the call.
unsafe fn owned(text: *const c_char) -> String {
    CStr::from_ptr(text).to_string_lossy().into_owned()
}

fn invalid(message: &str) -> Error {
    Error { code: HONE_EINVAL, message: message.into(), subject: String::new(), row: -1 }
}

fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| invalid("a name with NUL in it"))
}

/// Calls a function with the place for its error.
fn call(function: impl FnOnce(*mut *mut hone_error) -> hone_status) -> Result<()> {
    let mut error = null_mut();
    let status = function(&mut error);
    if status == HONE_OK {
        return Ok(());
    }
    if error.is_null() {
        return Err(Error { code: status, ..invalid("no message") });
    }
    unsafe {
        let told = Error {
            code: hone_error_code(error),
            message: owned(hone_error_message(error)),
            subject: owned(hone_error_subject(error)),
            row: hone_error_row(error),
        };
        hone_error_release(error);
        Err(told)
    }
}

/// The same for a function with a handle as its result.
fn make<T>(function: impl FnOnce(*mut *mut T, *mut *mut hone_error) -> hone_status) -> Result<NonNull<T>> {
    let mut out = null_mut();
    call(|error| function(&mut out, error))?;
    NonNull::new(out).ok_or_else(|| invalid("a call that succeeded gave no handle"))
}

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident, $raw:ty, $release:ident) => {
        $(#[$doc])*
        pub struct $name(NonNull<$raw>);
        unsafe impl Send for $name {}
        impl Drop for $name {
            fn drop(&mut self) {
                unsafe { $release(self.0.as_ptr()) }
            }
        }
    };
}

handle!(/// One thread at a time.
    Config, hone_config, hone_config_release);
handle!(Runtime, hone_runtime, hone_runtime_release);
handle!(Model, hone_model, hone_model_release);
handle!(/// Rows are added through &mut, so never while others read.
    Dataset, hone_dataset, hone_dataset_release);
handle!(/// One thread at a time.
    Trainer, hone_trainer, hone_trainer_release);
handle!(Job, hone_job, hone_job_release);
handle!(Buffer, hone_buffer, hone_buffer_release);
unsafe impl Sync for Runtime {}
unsafe impl Sync for Model {}
unsafe impl Sync for Dataset {}
unsafe impl Sync for Job {}
unsafe impl Sync for Buffer {}

pub fn version() -> String {
    unsafe { owned(hone_version()) }
}

impl Config {
    pub fn new() -> Result<Self> {
        make(|out, error| unsafe { hone_config_create(out, error) }).map(Self)
    }
    pub fn text(&mut self, key: &str, value: &str) -> Result<&mut Self> {
        let (key, value) = (c_string(key)?, c_string(value)?);
        call(|error| unsafe { hone_config_set_str(self.0.as_ptr(), key.as_ptr(), value.as_ptr(), error) })?;
        Ok(self)
    }
    pub fn int(&mut self, key: &str, value: i64) -> Result<&mut Self> {
        let key = c_string(key)?;
        call(|error| unsafe { hone_config_set_int(self.0.as_ptr(), key.as_ptr(), value, error) })?;
        Ok(self)
    }
    pub fn real(&mut self, key: &str, value: f64) -> Result<&mut Self> {
        let key = c_string(key)?;
        call(|error| unsafe { hone_config_set_real(self.0.as_ptr(), key.as_ptr(), value, error) })?;
        Ok(self)
    }
}

impl Runtime {
    pub fn new(options: &Config) -> Result<Self> {
        make(|out, error| unsafe { hone_runtime_create(options.0.as_ptr(), out, error) }).map(Self)
    }
}

impl Model {
    pub fn load(runtime: &Runtime, folder: &str) -> Result<Self> {
        let folder = c_string(folder)?;
        make(|out, error| unsafe { hone_model_load(runtime.0.as_ptr(), folder.as_ptr(), out, error) })
            .map(Self)
    }
    pub fn save(&self, folder: &str) -> Result<()> {
        let folder = c_string(folder)?;
        call(|error| unsafe { hone_model_save(self.0.as_ptr(), folder.as_ptr(), null(), error) })
    }
    pub fn dim(&self) -> usize {
        unsafe { hone_model_dim(self.0.as_ptr()) as usize }
    }
    /// One vector after the other.
    pub fn encode(&self, texts: &[&str]) -> Result<Vec<f32>> {
        let bytes: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
        self.encode_bytes(&bytes)
    }
    /// The same of texts that may not be UTF-8, which hone finds.
    pub fn encode_bytes(&self, texts: &[&[u8]]) -> Result<Vec<f32>> {
        let views: Vec<hone_str> =
            texts.iter().map(|text| hone_str { data: text.as_ptr().cast(), size: text.len() }).collect();
        let mut vectors = vec![0f32; texts.len() * self.dim()];
        call(|error| unsafe {
            hone_model_encode(
                self.0.as_ptr(),
                views.as_ptr(),
                views.len(),
                null(),
                vectors.as_mut_ptr(),
                vectors.len(),
                error,
            )
        })?;
        Ok(vectors)
    }
}

impl Clone for Model {
    fn clone(&self) -> Self {
        let again = unsafe { hone_model_retain(self.0.as_ptr()) };
        Self(NonNull::new(again).expect("retain gives the handle back"))
    }
}

impl Dataset {
    pub fn read(runtime: &Runtime, file: &str) -> Result<Self> {
        let file = c_string(file)?;
        make(|out, error| unsafe { hone_dataset_read(runtime.0.as_ptr(), file.as_ptr(), null(), out, error) })
            .map(Self)
    }
    /// An empty one with columns sentence1, sentence2 and score.
    pub fn pairs(runtime: &Runtime) -> Result<Self> {
        let columns = [c"sentence1".as_ptr(), c"sentence2".as_ptr(), c"score".as_ptr()];
        make(|out, error| unsafe {
            hone_dataset_create(runtime.0.as_ptr(), columns.as_ptr(), columns.len(), null(), out, error)
        })
        .map(Self)
    }
    pub fn add(&mut self, sentence1: &[u8], sentence2: &[u8], score: f64) -> Result<()> {
        let value = |data, size, number| hone_value {
            text: hone_str { data, size },
            number,
            vector: hone_vector { data: null(), size: 0 },
        };
        let text = |text: &[u8]| value(text.as_ptr().cast(), text.len(), 0.0);
        let values = [text(sentence1), text(sentence2), value(null(), 0, score)];
        call(|error| unsafe { hone_dataset_add(self.0.as_ptr(), values.as_ptr(), values.len(), error) })
    }
    pub fn size(&self) -> i64 {
        unsafe { hone_dataset_size(self.0.as_ptr()) }
    }
}

impl Trainer {
    pub fn new(
        model: &Model,
        data: &Dataset,
        evaluation: Option<&Dataset>,
        options: &Config,
    ) -> Result<Self> {
        let evaluation = evaluation.map_or(null_mut(), |dataset| dataset.0.as_ptr());
        make(|out, error| unsafe {
            hone_trainer_create(model.0.as_ptr(), data.0.as_ptr(), evaluation, options.0.as_ptr(), out, error)
        })
        .map(Self)
    }
    pub fn start(&mut self) -> Result<Job> {
        make(|out, error| unsafe { hone_trainer_start(self.0.as_ptr(), null(), out, error) }).map(Job)
    }
}

impl Job {
    /// None where the time is over. A negative timeout is for ever.
    pub fn next_event(&self, timeout_ms: i64) -> Result<Option<hone_progress>> {
        let mut progress: hone_progress = unsafe { std::mem::zeroed() };
        progress.struct_size = std::mem::size_of::<hone_progress>();
        match call(|error| unsafe { hone_job_next_event(self.0.as_ptr(), timeout_ms, &mut progress, error) })
        {
            Ok(()) => Ok(Some(progress)),
            Err(error) if error.code == HONE_ETIMEDOUT => Ok(None),
            Err(error) => Err(error),
        }
    }
    pub fn wait(&self) -> Result<()> {
        call(|error| unsafe { hone_job_wait(self.0.as_ptr(), -1, error) })
    }
    pub fn cancel(&self) {
        unsafe { hone_job_cancel(self.0.as_ptr()) }
    }
    pub fn state(&self) -> i32 {
        unsafe { hone_job_poll(self.0.as_ptr()) }
    }
    pub fn result(&self) -> Result<Model> {
        make(|out, error| unsafe { hone_job_result(self.0.as_ptr(), out, error) }).map(Model)
    }
    pub fn report(&self) -> Result<String> {
        let buffer =
            make(|out, error| unsafe { hone_job_report(self.0.as_ptr(), out, error) }).map(Buffer)?;
        let mut size = 0;
        let data = unsafe { hone_buffer_data(buffer.0.as_ptr(), &mut size) };
        let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), size) };
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
}
