#include "deployer/site/lost_director.h"

#include <utility>

namespace weir::deployer {
namespace {

class LostDirector final : public director::Director {
 public:
  explicit LostDirector(Error why) : why_(std::move(why)) {}

  Result<bool> installed() override { return lost(); }
  Result<director::Maker> maker() override { return lost(); }
  Status check_upstream() override { return lost(); }
  Status install(const director::Intent&, const std::optional<director::Learned>&) override {
    return lost();
  }
  Status attach(const NodeId&) override { return lost(); }
  Status apply(const director::Delta&) override { return lost(); }
  Result<director::Observed> read() override { return lost(); }
  Status forget(const NodeId&) override { return lost(); }
  Status nudge(const NodeId&, const IpAddress&) override { return lost(); }
  Status remove() override { return {}; }

 private:
  [[nodiscard]] tl::unexpected<Error> lost() const { return tl::unexpected(why_); }

  Error why_;
};

}  // namespace

std::unique_ptr<director::Director> make_lost_director(Error why) {
  return std::make_unique<LostDirector>(std::move(why));
}

}  // namespace weir::deployer
