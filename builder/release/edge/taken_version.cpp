#include "builder/release/edge/taken_version.h"

namespace weir::builder {

Status check_version_is_free(const images::Store& store, const manifests::Release& release,
                             const Digest& document) {
  const auto stored = store.read_release(release.name);
  if (!stored || Digest::of(as_bytes(stored->json)) == document) return {};
  const auto other = manifests::parse_release(stored->json);
  if (!other || !other->terms || !release.terms) return {};
  if (other->terms->channel != release.terms->channel ||
      other->terms->version != release.terms->version) {
    return {};
  }
  const std::string version = std::to_string(release.terms->version);
  manifests::Release same = *other;
  same.scan.own_keys = release.scan.own_keys;
  // The document states the search, and so is another one, of the same lock and image.
  const std::string instead =
      same == release ? " (of the same image, but searched for other keys of the fleet)" : "";
  const std::string way = same == release ? "build with the --secrets of then, or "
                                          : "lock again (a changed lock gets a higher version) or ";
  return fail(Errc::busy,
              "release " + release.name.string() + ": version " + version + " of channel " +
                  release.terms->channel.string() + " is another document in this store" + instead +
                  ", and whoever has seen that one refuses this: " + way +
                  "set a higher release.version in the image manifest; --replace, if nobody has "
                  "seen it");
}

}  // namespace weir::builder
