#include "builder/layers/alternative_links.h"

#include <map>
#include <utility>

#include "images/tree/merged_usr.h"

namespace weir::builder {
namespace {

constexpr std::string_view kFolder = "/etc/alternatives/";

class Linking {
 public:
  Linking(const Overlay& below, const std::set<std::string>& decided, std::int64_t epoch)
      : below_(below), decided_(decided), epoch_(epoch) {}

  void link(const AlternativeLink& to) {
    put(std::string(kFolder) + to.name, to.path);
    put(to.link, std::string(kFolder) + to.name);
  }

  MadePlaces done() {
    for (auto& [path, node] : made_) out_.made.push_back({path, std::move(node)});
    return std::move(out_);
  }

  void refuse(const AlternativeLink& link, const std::string& why) {
    out_.unmade.push_back("alternative " + link.name + ": " + why);
  }

 private:
  void put(const std::string& place, const std::string& target) {
    const auto written = images::ImagePath::parse(place);
    if (!written) return;
    const auto path = images::merged(*written);
    if (!path || decided_.contains(path->string())) return;
    if (below_.find(path->string()) != nullptr) {
      out_.unmade.push_back("alternative link " + place + ": a package has something there");
      return;
    }
    made_.insert_or_assign(*path, images::Node{0777, 0, 0, epoch_, images::Symlink{target}});
  }

  const Overlay& below_;
  const std::set<std::string>& decided_;
  std::int64_t epoch_;
  std::map<images::ImagePath, images::Node> made_;
  MadePlaces out_;
};

}  // namespace

MadePlaces alternative_links(const std::vector<Alternative>& choices, const Overlay& below,
                             const std::set<std::string>& decided, std::int64_t epoch) {
  Linking linking(below, decided, epoch);
  std::map<std::string, const Alternative*> best;
  for (const Alternative& choice : choices) {
    if (!below.resolve(choice.main.path)) {
      linking.refuse(choice.main, choice.main.path + " is not in the image");
      continue;
    }
    const Alternative*& held = best[choice.main.name];
    if (held == nullptr || choice.priority > held->priority) held = &choice;
  }
  for (const auto& [_, choice] : best) {
    linking.link(choice->main);
    for (const AlternativeLink& follower : choice->followers) {
      if (below.resolve(follower.path)) linking.link(follower);
    }
  }
  return linking.done();
}

}  // namespace weir::builder
