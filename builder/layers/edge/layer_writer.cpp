#include "builder/layers/edge/layer_writer.h"

#include <utility>

namespace weir::builder {
namespace {

constexpr std::size_t kMostWaiting = 8;

}  // namespace

LayerWriter::LayerWriter(images::Store& store, LayerCache layers, std::int64_t epoch)
    : store_(store), layers_(std::move(layers)), epoch_(epoch), thread_([this] { run(); }) {}

LayerWriter::~LayerWriter() {
  const std::lock_guard lock(guard_);
  closed_ = true;
  changed_.notify_all();
}

Result<LayerFacts> LayerWriter::add(const Digest& key, BuiltLayer built) {
  LayerFacts facts = built.facts;
  std::unique_lock lock(guard_);
  changed_.wait(lock, [this] { return waiting_.size() < kMostWaiting; });
  if (!status_) return tl::unexpected(status_.error());
  waiting_.push_back({key, std::move(built)});
  changed_.notify_all();
  return facts;
}

Status LayerWriter::finish() {
  {
    const std::lock_guard lock(guard_);
    closed_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  return status_;
}

void LayerWriter::run() {
  for (bool failed = false;;) {
    std::optional<Waiting> next;
    {
      std::unique_lock lock(guard_);
      changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
      changed_.notify_all();
    }
    if (failed) continue;
    Status written = write(*next);
    failed = !written;
    const std::lock_guard lock(guard_);
    status_ = std::move(written);
  }
}

Status LayerWriter::write(const Waiting& one) {
  const LayerFacts& facts = one.built.facts;
  TRY(store_.write_blob(facts.layer.blob.digest, one.built.bytes));
  if (facts.kernel) {
    TRY(store_.write_blob(facts.kernel->kernel.image.digest, one.built.kernel_image));
  }
  return layers_.put(one.key, facts, epoch_);
}

}  // namespace weir::builder
