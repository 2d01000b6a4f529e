#include "manifests/base/edge/replacement.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "manifests/base/edge/file.h"
#include "manifests/base/paths.h"

namespace weir {

Replacement::~Replacement() {
  // The new files, or, once these have their names, the old ones.
  for (const Step& step : steps_) {
    if (step.done != Done::made && step.done != Done::replaced) ::unlink(step.made.path.c_str());
  }
}

Status Replacement::write(const std::string& path, std::string_view content) {
  TRY_ASSIGN(Unfinished made, write_unfinished_file(path, content));
  add(std::move(made), path);
  return {};
}

void Replacement::add(Unfinished made, const std::string& path) {
  steps_.push_back({std::move(made), path, Wanted::to_be_there, Done::nothing});
}

Status Replacement::remove(const std::string& path) {
  TRY_ASSIGN(Unfinished place, make_unfinished_file(path));
  steps_.push_back({std::move(place), path, Wanted::to_be_gone, Done::nothing});
  return {};
}

// returns  0 or an errno
int Replacement::take(Step& step) {
  if (step.wanted == Wanted::to_be_gone) {
    const int sys = withdraw_to_unfinished(step.made, step.path);
    if (sys == 0) step.done = Done::withdrawn;
    return sys == ENOENT ? 0 : sys;
  }
  int sys = exchange_unfinished(step.made, step.path);
  if (sys == 0) step.done = Done::exchanged;
  if (sys != ENOENT && sys != EINVAL && sys != ENOSYS) return sys;
  const Done done = sys == ENOENT ? Done::made : Done::replaced;
  sys = finish_unfinished(step.made, step.path);
  if (sys == 0) step.done = done;
  return sys;
}

bool Replacement::put_back(const Step& step) {
  switch (step.done) {
    case Done::nothing:
      return true;
    case Done::made:
      return ::unlink(step.path.c_str()) == 0;
    case Done::exchanged:
      return exchange_unfinished(step.made, step.path) == 0;
    case Done::withdrawn:
      return ::rename(step.made.path.c_str(), step.path.c_str()) == 0;
    case Done::replaced:
      return false;
  }
  return false;
}

tl::unexpected<Error> Replacement::undone(Error why) {
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    if (put_back(*step)) continue;
    why.message += "; " + step->path + " stays replaced";
    if (step->done == Done::exchanged || step->done == Done::withdrawn) {
      why.message += ", what was there is " + step->made.path;
    }
    step->done = Done::replaced;
  }
  return tl::unexpected(std::move(why));
}

Status Replacement::finish() {
  const Uninterrupted whole;
  for (Step& step : steps_) {
    if (const int sys = take(step)) {
      const Errc code = sys == ENOSPC || sys == EDQUOT ? Errc::exhausted : Errc::io;
      return undone(fail_errno(code, sys, step.path).value());
    }
  }
  for (const Step& step : steps_) {
    if (auto synced = sync_folder(folder_of(step.path)); !synced) {
      return undone(std::move(synced.error()));
    }
  }
  return {};
}

}  // namespace weir
