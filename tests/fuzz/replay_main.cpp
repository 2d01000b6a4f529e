// Stands in for libFuzzer in ordinary builds: runs a fuzz target over its corpus and over mutations
// of it that are the same on every machine.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr int kMutations = 200;  // of each file

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

/// One small change: a byte flipped, set, inserted or removed, a piece repeated, or the end cut
/// off.
void mutate(std::string& text, std::mt19937& random) {
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
  const std::size_t at = below(text.size());
  switch (random() % 6) {
    case 0:
      if (!text.empty()) text[at] = static_cast<char>(text[at] ^ (1 << random() % 8));
      break;
    case 1:
      if (!text.empty()) text[at] = static_cast<char>(random());
      break;
    case 2:
      text.insert(at, 1, static_cast<char>(random()));
      break;
    case 3:
      if (!text.empty()) text.erase(at, 1 + below(8));
      break;
    case 4:
      text.insert(at, text.substr(below(text.size()), below(64)));
      break;
    default:
      text.resize(at);
      break;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
      std::ifstream in(path, std::ios::binary);
      const std::string seed{std::istreambuf_iterator<char>(in), {}};
      run(seed);
      std::mt19937 random(static_cast<std::uint32_t>(++files));
      for (int k = 0; k < kMutations; ++k) {
        std::string input = seed;
        for (std::size_t steps = 1 + random() % 4; steps > 0; --steps) mutate(input, random);
        run(input);
      }
    }
  }
  run("");
  std::printf("%zu files replayed\n", files);
  if (files > 0) return 0;
  std::fprintf(stderr, "usage: %s CORPUS_FOLDER..., with at least one file\n", argv[0]);
  return 1;
}
