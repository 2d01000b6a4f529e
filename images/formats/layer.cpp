#include "images/formats/layer.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <array>
#include <memory>

#include "images/formats/cpio.h"
#include "images/formats/no_memory.h"

namespace weir::images {
namespace {

// Measured on the layers of a gateway (33 MB): 9 takes 4.7 times as long for 8 % less, 1 saves a
// third of the time and adds 12 %.
constexpr int kLevel = 3;

struct FreeStream {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

// RFC 8878, section 3.1.1.1: magic, descriptor, window (unless single segment), dictionary, content
// size.
std::size_t frame_header_size(const std::vector<std::uint8_t>& frame) {
  constexpr std::array<std::size_t, 4> dictionary = {0, 1, 2, 4}, content = {0, 2, 4, 8};
  const std::uint8_t descriptor = frame[4];
  const bool single = (descriptor >> 5 & 1) != 0;
  const std::size_t sizes = descriptor >> 6;
  return 5 + (single ? 0U : 1U) + dictionary[descriptor & 3] +
         (sizes == 0 && single ? 1U : content[sizes]);
}

// An empty raw block is three zero bytes (RFC 8878, section 3.1.1.2), and one to three of them
// reach any multiple of four. Zeros behind the frame would do for the kernel, but no other reader
// takes them.
void pad_frame(std::vector<std::uint8_t>& frame) {
  const std::size_t blocks = frame.size() % 4;
  const auto at = frame.begin() + static_cast<std::ptrdiff_t>(frame_header_size(frame));
  frame.insert(at, blocks * 3, std::uint8_t{0});
}

}  // namespace

Result<Layer> encode_layer(const FileTree& tree, std::int64_t epoch) {
  const std::unique_ptr<ZSTD_CCtx, FreeStream> context(ZSTD_createCCtx());
  if (!context) return no_memory();
  const ByteCount size = cpio_size(tree);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  ZSTD_CCtx_setPledgedSrcSize(context.get(), size.value);

  std::vector<std::uint8_t> out, room(ZSTD_CStreamOutSize());
  const auto compress = [&](Bytes bytes, ZSTD_EndDirective directive) -> Status {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (;;) {
      ZSTD_outBuffer piece{room.data(), room.size(), 0};
      const std::size_t left = ZSTD_compressStream2(context.get(), &piece, &in, directive);
      if (ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation) return no_memory();
      if (ZSTD_isError(left) != 0) {
        return fail(Errc::exhausted, std::string("zstd: ") + ZSTD_getErrorName(left));
      }
      out.insert(out.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(piece.pos));
      if (directive == ZSTD_e_end ? left == 0 : in.pos == in.size) return {};
    }
  };
  Sha256 hash;
  TRY(encode_cpio(tree, epoch, [&](Bytes bytes) -> Status {
    hash.update(bytes);
    return compress(bytes, ZSTD_e_continue);
  }));
  TRY(compress({}, ZSTD_e_end));
  pad_frame(out);
  const manifests::Blob blob{Digest::of(out), ByteCount{out.size()}};
  return Layer{std::move(out), blob, std::move(hash).finish(), size};
}

Result<Digest> content_digest(const FileTree& tree, std::int64_t epoch) {
  Sha256 hash;
  TRY(encode_cpio(tree, epoch, [&](Bytes bytes) -> Status {
    hash.update(bytes);
    return {};
  }));
  return std::move(hash).finish();
}

std::string layer_encoder() {
  return std::string("newc+zstd-") + ZSTD_versionString() + "-" + std::to_string(kLevel);
}

}  // namespace weir::images
