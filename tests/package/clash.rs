// A Rust program with hone inside: two Rust standard libraries in one file, each with its panics, threads and memory.
use std::ffi::{c_char, c_int, c_void, CStr, CString};
use std::panic::catch_unwind;

#[repr(C)]
struct HoneStr {
    data: *const c_char,
    size: usize,
}

extern "C" {
    fn hone_error_message(error: *const c_void) -> *const c_char;
    fn hone_error_release(error: *mut c_void);
    fn hone_runtime_create(options: *const c_void, out: *mut *mut c_void, error: *mut *mut c_void) -> c_int;
    fn hone_runtime_release(runtime: *mut c_void);
    fn hone_model_load(runtime: *mut c_void, folder: *const c_char, out: *mut *mut c_void, error: *mut *mut c_void)
        -> c_int;
    fn hone_model_dim(model: *const c_void) -> c_int;
    fn hone_model_encode(
        model: *const c_void, texts: *const HoneStr, count: usize, options: *const c_void, out: *mut f32,
        out_floats: usize, error: *mut *mut c_void,
    ) -> c_int;
    fn hone_model_release(model: *mut c_void);
}

// Names that libhone.a has inside.
#[no_mangle]
pub extern "C" fn inflate() {
    std::process::abort();
}
#[no_mangle]
pub extern "C" fn hone_tok_encode() {
    std::process::abort();
}

fn load(runtime: *mut c_void, folder: &str) -> Result<*mut c_void, String> {
    let folder = CString::new(folder).unwrap();
    let (mut model, mut error) = (std::ptr::null_mut(), std::ptr::null_mut());
    unsafe {
        if hone_model_load(runtime, folder.as_ptr(), &mut model, &mut error) == 0 {
            return Ok(model);
        }
        let message = CStr::from_ptr(hone_error_message(error)).to_string_lossy().into_owned();
        hone_error_release(error);
        Err(message)
    }
}

fn panics_stay_ours() {
    let caught = catch_unwind(|| std::panic::resume_unwind(Box::new(17)));
    assert_eq!(caught.unwrap_err().downcast_ref::<i32>(), Some(&17));
}

fn main() {
    let folder = std::env::args().nth(1).expect("usage: clash MODEL");
    panics_stay_ours();
    unsafe {
        let (mut runtime, mut error) = (std::ptr::null_mut(), std::ptr::null_mut());
        assert_eq!(hone_runtime_create(std::ptr::null(), &mut runtime, &mut error), 0);
        let problem = load(runtime, "no-such-folder").unwrap_err();
        assert!(problem.contains("no-such-folder"), "{problem}");
        let model = load(runtime, &folder).unwrap();
        let dim = hone_model_dim(model) as usize;
        // Handles go to a thread as numbers.
        let handle = model as usize;
        let vector = std::thread::spawn(move || {
            let text = "a storm is coming";
            let texts = [HoneStr { data: text.as_ptr().cast(), size: text.len() }];
            let mut vector = vec![f32::NAN; dim];
            let mut error = std::ptr::null_mut();
            let status = hone_model_encode(
                handle as *const c_void, texts.as_ptr(), 1, std::ptr::null(), vector.as_mut_ptr(), dim, &mut error,
            );
            assert_eq!(status, 0);
            vector
        })
        .join()
        .unwrap();
        assert!(vector.iter().all(|value| value.is_finite()));
        hone_model_release(model);
        hone_runtime_release(runtime);
    }
    panics_stay_ours();
}
