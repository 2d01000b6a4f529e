#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "builder/layers/image_checks.h"
#include "builder/layers/made_places.h"

namespace weir::builder {

/// What `update-ca-certificates` makes in /etc/ssl/certs: a link to each certificate that is
/// trusted, a link by the hash of its subject (`openssl rehash`), and all of them in
/// ca-certificates.crt. Nothing where there is no certificate.
///
/// Trusted is what stands in etc/ca-certificates.conf, all of usr/share/ca-certificates where there
/// is none, and all of usr/local/share/ca-certificates.
///
/// files     texts by path: the list, and what ends in .crt below those two folders
/// below     all that stands in the image before
/// decided   paths that somebody else decides
/// epoch     time of what is made, Unix seconds
/// source    update-ca-certificates(8); openssl-rehash(1)
[[nodiscard]] MadePlaces certificate_bundle(const std::map<std::string, std::string>& files,
                                            const Overlay& below,
                                            const std::set<std::string>& decided,
                                            std::int64_t epoch);

}  // namespace weir::builder
