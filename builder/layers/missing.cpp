#include "builder/layers/missing.h"

#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

void add(const char* kind, const std::vector<std::string>& items, std::vector<std::string>& out) {
  for (const std::string& item : items) out.push_back("  " + std::string(kind) + " " + item);
}

}  // namespace

std::vector<std::string> lines_of(const Missing& missing, const std::string& manifest) {
  std::vector<std::string> out;
  add("script", missing.scripts, out);
  add("secret", missing.secrets, out);
  add("link", missing.links, out);
  add("conflict", missing.conflicts, out);
  add("service", missing.services, out);
  add("refused", missing.refused, out);
  if (!missing.scripts.empty()) {
    out.push_back("  scripts: nobody accounted for them: weir-builder scripts " +
                  shell_word(manifest) +
                  " shows what each would do, and the entries for accept_scripts");
  }
  if (!missing.secrets.empty()) {
    out.emplace_back(
        "  secrets: they never go into an image, which anyone can read who has the release: take "
        "them out of the package or the manifest's files (nodes get their keys over the node API), "
        "or, where the secret is none, list path and digest under accept_secrets in the manifest");
  }
  if (!missing.links.empty()) {
    out.emplace_back(
        "  links: not in the image: add the packages that have them to the manifest, in versions "
        "that fit one another");
  }
  if (!missing.conflicts.empty()) {
    out.emplace_back(
        "  conflicts: leave one of the two packages out, or, of a folder, say under folders in the "
        "manifest whose it is and with which mode");
  }
  if (!missing.services.empty()) {
    out.emplace_back(
        "  services: nodes could not start them: add the packages that have the programs, or what "
        "runs them, to the manifest, or write the program's path as it is in the image");
  }
  if (!missing.refused.empty()) {
    out.emplace_back(
        "  refused: no layer can be made of them: take another version, or leave them out; "
        "whether "
        "programs find their libraries is looked at once they can be read");
  }
  return out;
}

Status check_complete(const Missing& missing) {
  const std::size_t count = missing.scripts.size() + missing.secrets.size() + missing.links.size() +
                            missing.conflicts.size() + missing.services.size() +
                            missing.refused.size();
  if (count == 0) return {};
  const bool person = !missing.scripts.empty() || !missing.secrets.empty();
  const bool invalid = !missing.conflicts.empty() || !missing.refused.empty();
  const Errc other = invalid ? Errc::invalid_input : Errc::not_found;
  return fail(person ? Errc::unauthorized : other,
              count == 1
                  ? "one thing is in the way of this image, listed above"
                  : std::to_string(count) + " things are in the way of this image, listed above");
}

}  // namespace weir::builder
