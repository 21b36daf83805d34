// Links libhone.so from the folder that HONE_LIB_DIR names, and lets the program find it there.

fn main() {
    println!("cargo:rerun-if-env-changed=HONE_LIB_DIR");
    let folder = std::env::var("HONE_LIB_DIR").expect("HONE_LIB_DIR names the folder of libhone.so");
    println!("cargo:rustc-link-search=native={folder}");
    println!("cargo:rustc-link-lib=dylib=hone");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
}
