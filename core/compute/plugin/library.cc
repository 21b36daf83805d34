#include "compute/plugin/library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "base/error.h"

namespace hone::compute::plugin {

namespace fs = std::filesystem;

const char* plugin_build() {
  return HONE_PLUGIN_BUILD;
}

std::vector<std::string> plugin_places(const std::string& file) {
  if (const char* folder = std::getenv("HONE_PLUGIN_DIR"); folder != nullptr && *folder != 0)
    return {(fs::path(folder) / file).string()};
  std::vector<std::string> places;
  Dl_info self{};
  std::error_code ignored;
  if (dladdr(reinterpret_cast<const void*>(&plugin_build), &self) != 0 && self.dli_fname != nullptr) {
    // A program started by its bare name is known by that name only.
    fs::path holder = self.dli_fname;
    if (!holder.has_parent_path()) holder = fs::read_symlink("/proc/self/exe", ignored);
    const fs::path folder = fs::weakly_canonical(holder, ignored).parent_path();
    for (const char* at : {".", "../lib", "../lib/hone", "../" HONE_INSTALL_LIBDIR})
      places.push_back((folder / at / file).lexically_normal().string());
  }
  places.push_back(file);  // the loader's own search
  return places;
}

const Table& open_plugin(const std::vector<std::string>& places) {
  std::string looked, loader;
  for (const std::string& place : places) {
    std::error_code ignored;
    const bool bare = place.find('/') == std::string::npos;
    if (!bare) {
      looked += cat(looked.empty() ? "" : ", ", fs::path(place).parent_path());
      if (!fs::exists(place, ignored)) continue;
    }
    void* library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      const char* text = dlerror();
      const std::string reason = excerpt(text == nullptr ? "" : text, 300);
      if (bare) {
        // Mostly that there is no such file; where there is one, what is wrong with it.
        loader = cat("; the loader's own search: ", reason);
        continue;
      }
      fail("plugin ", place, ": cannot be opened: ", reason,
           "; libtorch 2.11 to 2.15 is expected where it was built with it, or on LD_LIBRARY_PATH");
    }
    void* symbol = dlsym(library, kSymbol);
    if (symbol == nullptr) fail("plugin ", place, ": is no engine plugin of hone");
    const Table* table = reinterpret_cast<const Table* (*)()>(symbol)();
    // Until the builds are known to agree only the first three fields mean anything.
    if (table->version != kTableVersion || table->size != sizeof(Table) ||
        std::string_view(table->build) != plugin_build()) {
      fail("plugin ", place, ": is of build ", excerpt(table->build, 200), ", this program of ",
           plugin_build(), "; build both together");
    }
    return *table;
  }
  fail("plugin libhone_torch.so is not installed (looked in ", looked, loader,
       "); build it where libtorch 2.11 to 2.15 is: scripts/build --torch, or CMake with libtorch on "
       "CMAKE_PREFIX_PATH");
}

const Table& torch_plugin() {
  static std::mutex mutex;
  static const Table* table = nullptr;
  std::lock_guard lock(mutex);
  if (table == nullptr) table = &open_plugin(plugin_places("libhone_torch.so"));
  return *table;
}

}  // namespace hone::compute::plugin
