#include "images/formats/xz_stream.h"

#include <string>
#include <utility>

#include "images/formats/no_memory.h"

namespace weir::images {
namespace {

constexpr std::uint32_t kThreads = 2;
constexpr std::uint64_t kMemoryForThreads = 128ULL << 20;  ///< more: one thread
constexpr std::uint64_t kMemory = 256ULL << 20;            ///< more: refused
constexpr std::size_t kXzPiece = 256U << 10;

}  // namespace

XzStream::XzStream(std::function<Result<Bytes>()> source)
    : source_(std::move(source)), out_(kXzPiece) {}

XzStream::XzStream(XzStream&& other) noexcept
    : source_(std::move(other.source_)),
      stream_(std::exchange(other.stream_, lzma_stream LZMA_STREAM_INIT)),
      input_ended_(other.input_ended_),
      ended_(other.ended_),
      out_(std::move(other.out_)) {}

XzStream::~XzStream() {
  lzma_end(&stream_);
}

Result<XzStream> XzStream::open(std::function<Result<Bytes>()> source, Format format) {
  XzStream out(std::move(source));
  if (format == Format::lzma) {
    if (lzma_alone_decoder(&out.stream_, kMemory) == LZMA_OK) return out;
    return no_memory();
  }
  lzma_mt options{};
  options.flags = LZMA_CONCATENATED;
  options.threads = kThreads;
  options.memlimit_threading = kMemoryForThreads;
  options.memlimit_stop = kMemory;
  if (lzma_stream_decoder_mt(&out.stream_, &options) != LZMA_OK) {
    return no_memory();
  }
  return out;
}

Result<Bytes> XzStream::next() {
  if (ended_) return Bytes();
  stream_.next_out = out_.data();
  stream_.avail_out = out_.size();
  while (stream_.avail_out > 0) {
    if (stream_.avail_in == 0 && !input_ended_) {
      TRY_ASSIGN(const Bytes piece, source_());
      stream_.next_in = piece.data();
      stream_.avail_in = piece.size();
      input_ended_ = piece.empty();
    }
    const lzma_ret status = lzma_code(&stream_, input_ended_ ? LZMA_FINISH : LZMA_RUN);
    if (status == LZMA_STREAM_END) {
      ended_ = true;
      break;
    }
    if (status == LZMA_OK) continue;
    if (status == LZMA_MEM_ERROR) return no_memory();
    if (status == LZMA_MEMLIMIT_ERROR) {
      return fail(Errc::exhausted, "xz: needs more than 256 MiB of memory");
    }
    return fail(Errc::invalid_input,
                "xz: damaged or cut (code " + std::to_string(static_cast<int>(status)) + ")");
  }
  return Bytes(out_.data(), out_.size() - stream_.avail_out);
}

}  // namespace weir::images
