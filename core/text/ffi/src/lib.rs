//! The C functions of core/text: a tokenizer.json in, token ids out.
//!
//! Rules: no function unwinds into C; a failure fills the caller's message buffer and returns null or false. A
//! tokenizer is immutable after `hone_tok_new` and may be used from any thread. Only single texts are encoded, so the
//! crate never starts its thread pool.

mod condense;
mod load;
mod prefix;
mod quiet;

use load::Loaded;
use std::ffi::c_void;
use std::slice;

/// Receives the ids of one text. Must not unwind.
type Sink = extern "C" fn(context: *mut c_void, ids: *const u32, count: usize);

/// Where a failure's text goes: NUL-terminated UTF-8, cut to fit.
#[repr(C)]
pub struct Message {
    text: *mut u8,
    capacity: usize,
}

impl Message {
    unsafe fn set(&self, text: &str) {
        if self.capacity == 0 {
            return;
        }
        let mut end = text.len().min(self.capacity - 1);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        std::ptr::copy_nonoverlapping(text.as_ptr(), self.text, end);
        *self.text.add(end) = 0;
    }
}

unsafe fn bytes<'a>(data: *const u8, size: usize) -> &'a [u8] {
    if size == 0 {
        &[]
    } else {
        slice::from_raw_parts(data, size)
    }
}

/// Reads a tokenizer.json. Its own padding and truncation are dropped: `max_length` (special tokens included) is the
/// only limit. Null on failure.
///
/// # Safety
/// `json` must point to `size` bytes and `message` to a valid Message.
#[no_mangle]
pub unsafe extern "C" fn hone_tok_new(
    json: *const u8,
    size: usize,
    max_length: u32,
    lower_case: bool,
    message: *const Message,
) -> *mut Loaded {
    match quiet::catch(|| Loaded::new(bytes(json, size), max_length as usize, lower_case)) {
        Ok(loaded) => Box::into_raw(Box::new(loaded)),
        Err(text) => {
            (*message).set(&text);
            std::ptr::null_mut()
        }
    }
}

/// # Safety
/// `loaded` must come from `hone_tok_new` and not be used again.
#[no_mangle]
pub unsafe extern "C" fn hone_tok_free(loaded: *mut Loaded) {
    if !loaded.is_null() {
        let _ = quiet::catch(|| {
            drop(Box::from_raw(loaded));
            Ok(())
        });
    }
}

/// One more than the largest id that encoding can give.
///
/// # Safety
/// `loaded` must come from `hone_tok_new`.
#[no_mangle]
pub unsafe extern "C" fn hone_tok_vocab_size(loaded: *const Loaded) -> u32 {
    (*loaded).vocab_size
}

/// Hands the ids of `text` to `sink`. False on failure.
///
/// # Safety
/// `loaded` must come from `hone_tok_new`, `text` point to `size` bytes and `message` to a valid Message.
#[no_mangle]
pub unsafe extern "C" fn hone_tok_encode(
    loaded: *const Loaded,
    text: *const u8,
    size: usize,
    sink: Sink,
    context: *mut c_void,
    message: *const Message,
) -> bool {
    let encoded = quiet::catch(|| {
        let text = std::str::from_utf8(bytes(text, size))
            .map_err(|e| format!("text is not valid UTF-8 (byte {})", e.valid_up_to() + 1))?;
        (*loaded).encode(text)
    });
    match encoded {
        Ok(encoding) => {
            let ids = encoding.get_ids();
            sink(context, ids.as_ptr(), ids.len());
            true
        }
        Err(text) => {
            (*message).set(&text);
            false
        }
    }
}
