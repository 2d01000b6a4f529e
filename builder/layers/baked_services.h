#pragma once

#include <string>
#include <vector>

#include "builder/layers/image_checks.h"
#include "builder/layers/system_layers.h"
#include "images/tree/file_tree.h"
#include "manifests/base/result.h"
#include "manifests/base/yaml_document.h"
#include "manifests/documents/image_service.h"
#include "manifests/documents/lock.h"
#include "manifests/messages/service_settings.h"

namespace weir::builder {

/// Whether everybody whom the services name has an account in the image.
///
/// field    the manifest's `services`, which `services` were read from
/// errors   invalid_input: line, field (`services.unbound.user`), whom nobody makes, what to do
[[nodiscard]] Status check_service_users(const manifests::YamlField& field,
                                         const std::vector<manifests::ImageService>& services,
                                         const std::vector<manifests::ImageUser>& users,
                                         const std::vector<manifests::LockedUser>& system_users);

/// The services with names turned into the numbers of the image's accounts. errors: as above
[[nodiscard]] Result<std::vector<manifests::ServiceSettings>> service_settings(
    const Settings& settings);

/// Puts what weir-init reads of the services, and their files: those with text, and for those that
/// nodes are given a link to where these come. Nothing without services.
[[nodiscard]] Status put_services(images::FileTree& tree, const Settings& settings,
                                  std::int64_t epoch, const Overlay& below);

/// Programs of services that the image does not have, or cannot run.
///
/// orphans  as `orphan_scripts` found them
/// returns  a line for each: "services.unbound.command[0]: /usr/sbin/unbound is not in the image"
[[nodiscard]] std::vector<std::string> missing_programs(
    const std::vector<manifests::ImageService>& services, const Overlay& image,
    const std::vector<OrphanScript>& orphans);

/// Whether a program, weir-init or weir-node, reads what an image says of its services. One that
/// does not starts none, and says nothing about it.
[[nodiscard]] bool knows_services(Bytes program);

}  // namespace weir::builder
