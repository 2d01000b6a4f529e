#include "images/formats/loader_cache.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace weir::images {
namespace {

constexpr std::string_view kCacheMagic = "glibc-ld.so.cache1.1";
constexpr std::size_t kCacheHeader = 48, kCacheEntry = 24, kCacheExtension = 24;
constexpr std::uint8_t kCacheLittleEndian = 2;
constexpr std::uint32_t kExtensionMagic = 0xeaa42174, kGeneratorTag = 0;

void put_number(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

bool is_number(char c) {
  return c >= '0' && c <= '9';
}

std::string without_zeros(std::string_view digits) {
  return std::string(digits.substr(std::min(digits.find_first_not_of('0'), digits.size())));
}

// The digits at the beginning, which are taken off.
std::string take_number(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && is_number(text[size])) ++size;
  std::string out = without_zeros(text.substr(0, size));
  text.remove_prefix(size);
  return out;
}

bool ends_before(const std::string& a, const std::string& b) {
  const auto less = [](char x, char y) {
    return static_cast<unsigned char>(x) < static_cast<unsigned char>(y);
  };
  return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend(), less);
}

// All strings behind one another, each with its zero; one that ends another lies in it.
class CacheStrings {
 public:
  CacheStrings(const std::set<std::string>& all, std::size_t begin) {
    std::vector<std::string> sorted(all.begin(), all.end());
    std::sort(sorted.begin(), sorted.end(),
              [](const std::string& a, const std::string& b) { return ends_before(b, a); });
    const std::string* longer = nullptr;
    for (const std::string& each : sorted) {
      if (longer != nullptr && longer->ends_with(each)) {
        places_[each] = places_[*longer] + longer->size() - each.size();
        continue;
      }
      places_[each] = begin + text_.size();
      text_ += each;
      text_ += '\0';
      longer = &each;
    }
  }

  [[nodiscard]] std::size_t place(const std::string& text) const { return places_.at(text); }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::map<std::string, std::size_t> places_;
};

}  // namespace

int compare_library_names(std::string_view a, std::string_view b) {
  while (!a.empty()) {
    const bool number = is_number(a.front()), other = !b.empty() && is_number(b.front());
    if (number != other) return number ? 1 : -1;
    if (number) {
      const std::string mine = take_number(a), theirs = take_number(b);
      if (mine.size() != theirs.size()) return mine.size() < theirs.size() ? -1 : 1;
      if (const int order = mine.compare(theirs); order != 0) return order;
      continue;
    }
    if (b.empty()) return 1;
    if (a.front() != b.front()) return a.front() < b.front() ? -1 : 1;
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  return b.empty() ? 0 : -1;
}

std::string encode_loader_cache(std::vector<CachedLibrary> libraries, std::int32_t kind,
                                std::string_view generator) {
  std::stable_sort(libraries.begin(), libraries.end(),
                   [](const CachedLibrary& a, const CachedLibrary& b) {
                     return compare_library_names(a.name, b.name) > 0;
                   });
  std::set<std::string> texts;
  for (const CachedLibrary& each : libraries) texts.insert({each.name, each.path});
  const CacheStrings strings(texts, kCacheHeader + kCacheEntry * libraries.size());
  const std::size_t end = kCacheHeader + kCacheEntry * libraries.size() + strings.text().size();
  const std::size_t extension = (end + 3) / 4 * 4;

  std::string out(kCacheMagic);
  put_number(out, libraries.size(), 4);
  put_number(out, strings.text().size(), 4);
  put_number(out, kCacheLittleEndian, 4);
  put_number(out, extension, 4);
  out.resize(kCacheHeader);
  for (const CachedLibrary& each : libraries) {
    put_number(out, static_cast<std::uint32_t>(kind), 4);
    put_number(out, strings.place(each.name), 4);
    put_number(out, strings.place(each.path), 4);
    put_number(out, 0, 12);  // of older formats, and what processors can do
  }
  out += strings.text();
  out.resize(extension);
  put_number(out, kExtensionMagic, 4);
  put_number(out, 1, 4);
  put_number(out, kGeneratorTag, 4);
  put_number(out, 0, 4);
  put_number(out, extension + kCacheExtension, 4);
  put_number(out, generator.size(), 4);
  return out + std::string(generator);
}

}  // namespace weir::images
