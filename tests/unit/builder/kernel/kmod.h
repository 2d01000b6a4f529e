#pragma once

#include <doctest/doctest.h>
#include <libkmod.h>

#include <cstdint>
#include <map>
#include <string>

namespace weir::test {

/// A module as libkmod reads it.
struct Kmod {
  kmod_ctx* context = kmod_new("/", nullptr);
  kmod_module* module = nullptr;
  explicit Kmod(const std::string& path) {
    REQUIRE(kmod_module_new_from_path(context, path.c_str(), &module) == 0);
  }
  ~Kmod() {
    kmod_module_unref(module);
    kmod_unref(context);
  }
  Kmod(const Kmod&) = delete;
  Kmod& operator=(const Kmod&) = delete;

  [[nodiscard]] std::map<std::string, std::uint32_t> versions() const {
    kmod_list* list = nullptr;
    std::map<std::string, std::uint32_t> out;
    if (kmod_module_get_versions(module, &list) < 0) return out;
    for (kmod_list* at = list; at != nullptr; at = kmod_list_next(list, at)) {
      out[kmod_module_version_get_symbol(at)] =
          static_cast<std::uint32_t>(kmod_module_version_get_crc(at));
    }
    kmod_module_versions_free_list(list);
    return out;
  }
  [[nodiscard]] std::map<std::string, std::uint32_t> exports() const {
    kmod_list* list = nullptr;
    std::map<std::string, std::uint32_t> out;
    if (kmod_module_get_symbols(module, &list) < 0) return out;
    for (kmod_list* at = list; at != nullptr; at = kmod_list_next(list, at)) {
      out[kmod_module_symbol_get_symbol(at)] =
          static_cast<std::uint32_t>(kmod_module_symbol_get_crc(at));
    }
    kmod_module_symbols_free_list(list);
    return out;
  }
  /// What it calls, and what it only states a sum of, such as module_layout: whether it can do
  /// without.
  [[nodiscard]] std::map<std::string, bool> needs() const {
    kmod_list* list = nullptr;
    std::map<std::string, bool> out;
    if (kmod_module_get_dependency_symbols(module, &list) < 0) return out;
    for (kmod_list* at = list; at != nullptr; at = kmod_list_next(list, at)) {
      out[kmod_module_dependency_symbol_get_symbol(at)] =
          kmod_module_dependency_symbol_get_bind(at) == KMOD_SYMBOL_WEAK;
    }
    kmod_module_dependency_symbols_free_list(list);
    return out;
  }
};

}  // namespace weir::test
