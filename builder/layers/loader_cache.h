#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "builder/layers/image_checks.h"
#include "builder/layers/made_places.h"
#include "images/formats/loader_cache.h"
#include "manifests/documents/architecture.h"

namespace weir::builder {

/// Folders that /etc/ld.so.conf names, absolute, as it names them, in order, each once; what it
/// includes stands in their place.
///
/// files     texts by path ("etc/ld.so.conf"), others among them
/// source    ldconfig(8), and what ldconfig of glibc 2.36 takes
[[nodiscard]] std::vector<std::string> loader_folders(
    const std::map<std::string, std::string>& files);

/// Where Debian's C library looks for an architecture's libraries without being told, absolute.
[[nodiscard]] std::vector<std::string> own_library_folders(
    const manifests::Architecture& architecture);

/// What `ldconfig` would write down: of the folders of /etc/ld.so.conf, and of the loader's own,
/// each library by its soname, and links that linkers use by their own name. Of a name that two
/// folders have the first one counts.
[[nodiscard]] std::vector<images::CachedLibrary> cached_libraries(
    const std::vector<std::string>& folders, const Overlay& image,
    const std::vector<LayerFacts>& layers, const manifests::Architecture& architecture);

/// The file etc/ld.so.cache, where the image has an etc/ld.so.conf.
///
/// files    texts by path, as for `loader_folders`
/// decided  paths that somebody else decides
/// epoch    its time, Unix seconds
[[nodiscard]] MadePlaces loader_cache(const std::map<std::string, std::string>& files,
                                      const Overlay& image, const std::vector<LayerFacts>& layers,
                                      const manifests::Architecture& architecture,
                                      const std::set<std::string>& decided, std::int64_t epoch);

}  // namespace weir::builder
