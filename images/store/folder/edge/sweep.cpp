#include "images/store/folder/edge/sweep.h"

#include <chrono>
#include <filesystem>
#include <functional>

namespace weir::images {
namespace {

namespace fs = std::filesystem;

// Writers of blobs hold no lock; one that takes a day is no longer there.
constexpr std::chrono::hours kAbandoned{24};

void each_in(const std::string& folder, const std::function<void(const fs::path&)>& visit) {
  std::error_code error;
  for (fs::directory_iterator at(folder, error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    visit(at->path());
  }
}

}  // namespace

void sweep_store(const std::string& store) {
  each_in(store + "/releases", [](const fs::path& path) {
    std::error_code ignored;
    if (path.filename().string().starts_with(".new.")) fs::remove_all(path, ignored);
  });
  const auto now = fs::file_time_type::clock::now();
  each_in(store + "/blobs/sha256", [&](const fs::path& path) {
    // HEX.unfinished.XXXXXX, as write_file names what it has not finished.
    if (path.filename().string().find('.') != 64) return;
    std::error_code error;
    const auto touched = fs::last_write_time(path, error);
    if (!error && now - touched > kAbandoned) fs::remove(path, error);
  });
}

}  // namespace weir::images
