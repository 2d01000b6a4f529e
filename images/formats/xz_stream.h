#pragma once

#include <lzma.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::images {

/// Unpacks an .xz or .lzma stream piece by piece; .xz streams of several blocks on two threads.
class XzStream {
 public:
  enum class Format : std::uint8_t { xz, lzma };

  /// `source` gives the next packed bytes, empty at their end. They stay valid until the next call.
  static Result<XzStream> open(std::function<Result<Bytes>()> source, Format format = Format::xz);
  XzStream(XzStream&&) noexcept;
  XzStream& operator=(XzStream&&) = delete;
  ~XzStream();

  /// The next unpacked bytes, empty at the end; valid until the next call.
  /// errors: invalid_input: damaged or cut; exhausted: needs more than 256 MiB, or than there is
  [[nodiscard]] Result<Bytes> next();

 private:
  explicit XzStream(std::function<Result<Bytes>()> source);
  std::function<Result<Bytes>()> source_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool input_ended_ = false, ended_ = false;
  std::vector<std::uint8_t> out_;
};

}  // namespace weir::images
