#include "builder/release/edge/rebuild.h"

#include <utility>

#include "builder/release/describe.h"
#include "builder/release/edge/statements.h"
#include "images/store/folder/edge/folder_store.h"
#include "manifests/base/edge/scratch_folder.h"

namespace weir::builder {
Result<RebuildPlan> plan_rebuild(const images::Store& store, const images::StoredRelease& stored,
                                 const Cache& cache, IndexDemand demand) {
  const std::string where = "release " + stored.name.string();
  TRY_ASSIGN_IN(auto release, manifests::parse_release(stored.json), where);
  TRY_ASSIGN_IN(BuildInput input, read_release_input(store, release, cache), where);
  input.own_keys = release.scan.own_keys;
  input.compile_again = true;
  TRY_ASSIGN_IN(IndexVerdict index, hold_to_index(input, cache, demand, Remembering::no), where);
  TRY_ASSIGN_IN(BuildPlan layers, plan_layers_of(input, cache, nullptr), where);
  return RebuildPlan{
      stored.name,      stored.json,       std::move(release), Digest::of(as_bytes(stored.json)),
      std::move(input), std::move(layers), std::move(index)};
}

Result<RebuildOutcome> rebuild_release(const RebuildPlan& plan, const Cache& cache,
                                       const MirrorRequest& request, Progress& progress) {
  const std::string where = "release " + plan.name.string();
  TRY(remember_verdict(plan.input, plan.index, cache));
  TRY_ASSIGN(const ScratchFolder scratch, ScratchFolder::make(cache.path() + "/rebuild"));
  TRY_ASSIGN(auto into, images::FolderStore::open_or_create(scratch.path() + "/store"));
  TRY_ASSIGN_IN(const MadeRelease made,
                make_release(plan.input, plan.layers, cache, into, request, progress), where);
  if (made.layers_reused != 0) {
    return fail(Errc::bug, where + ": a rebuild used layers that were built before");
  }
  TRY_ASSIGN(auto differences, rebuild_differences(plan.stored, made.json));
  const Digest rebuilt = Digest::of(as_bytes(made.json));
  if (differences.empty() && plan.digest != rebuilt) {
    differences.push_back({"(white space)", plan.digest.string(), rebuilt.string()});
  }
  return RebuildOutcome{{plan.name, plan.digest, plan.release.lock_digest, builder_version()},
                        rebuilt,
                        plan.release.builder_version,
                        std::move(differences),
                        plan.index};
}

Status write_rebuild_statement(images::Store& store, const RebuildOutcome& outcome,
                               const keys::Signer& signer) {
  const auto& statement = outcome.statement;
  if (!outcome.differences.empty()) {
    return fail(Errc::bug, "a rebuild that differs is not stated to be the same");
  }
  TRY(write_signed_statement(store, keys::StatementKind::rebuild, statement.release,
                             statement.release_digest, manifests::print(statement), signer));
  return {};
}

}  // namespace weir::builder
