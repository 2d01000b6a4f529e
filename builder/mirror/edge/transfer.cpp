#include "builder/mirror/edge/transfer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "builder/mirror/web_page.h"
#include "manifests/base/edge/owner_access.h"
#include "manifests/base/edge/unfinished.h"

namespace weir::builder {

Status Transfer::open_partial() {
  path_ = cache_.partial_path(download_.digest);
  file_ = Fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file_.valid()) return fail_errno(Errc::io, errno, path_);
  if (const int sys = grant_to_owner(file_.get(), 0644)) return fail_errno(Errc::io, sys, path_);
  struct stat info {
  }, there{};
  if (::fstat(file_.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return fail(Errc::invalid_input, path_ + ": is not a file: remove it");
  }
  const bool mine = ::flock(file_.get(), LOCK_EX | LOCK_NB) == 0 &&
                    ::stat(path_.c_str(), &there) == 0 && info.st_ino == there.st_ino;
  if (!mine) {
    // Another builder fetches the same file, or just finished it: take one of our own.
    TRY_ASSIGN(Unfinished own, make_unfinished_file(path_));
    path_ = std::move(own.path);
    file_ = std::move(own.fd);
    if (::fchmod(file_.get(), 0644) != 0) return fail_errno(Errc::io, errno, path_);
  }
  return reuse_partial();
}

// Hashes what an earlier run left behind.
Status Transfer::reuse_partial() {
  std::vector<std::uint8_t> piece(1 << 18);
  for (;;) {
    const ssize_t n =
        ::pread(file_.get(), piece.data(), piece.size(), static_cast<off_t>(received_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(Errc::io, errno, path_);
    if (n == 0) return {};
    hash_.update({piece.data(), static_cast<std::size_t>(n)});
    received_ += static_cast<std::uint64_t>(n);
    // Nothing of a full or longer file can be continued.
    if (received_ >= download_.size.value) return restart();
  }
}

Status Transfer::restart() {
  hash_ = Sha256();
  received_ = 0;
  if (::ftruncate(file_.get(), 0) != 0) return fail_errno(Errc::io, errno, path_);
  return {};
}

bool Transfer::start() {
  if (!file_.valid()) {
    if (auto status = open_partial(); !status) {
      finish(std::move(status));
      return false;
    }
  }
  checked_answer_ = false;
  too_long_ = false;
  head_.clear();
  resumed_at_ = received_;
  auto opened =
      request_.open(download_.urls.at(attempts_.address()), received_, attempts_.spoiled());
  if (opened) return true;
  request_.close();
  if (opened.error().code == Errc::not_found) {
    after(Outcome::gone, not_there());
  } else {
    after(Outcome::refused, std::move(opened.error()));
  }
  return false;
}

bool Transfer::receive(const char* data, std::size_t size) {
  if (!checked_answer_) {
    const long code = request_.answer();
    if (code != 200 && code != 206) return true;  // an error page: judged at the end
    if (code == 200 && received_ > 0 && !restart()) return false;
    checked_answer_ = true;
  }
  if (received_ == head_.size() && head_.size() < kPageHead) {
    head_.append(data, std::min(size, kPageHead - head_.size()));
  }
  if (received_ + size > download_.size.value) {
    too_long_ = true;
    return false;
  }
  hash_.update(as_bytes({data, size}));
  while (size > 0) {
    const ssize_t n = ::pwrite(file_.get(), data, size, static_cast<off_t>(received_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      write_errno_ = errno;
      return false;
    }
    data += n;
    size -= static_cast<std::size_t>(n);
    received_ += static_cast<std::uint64_t>(n);
  }
  return true;
}

Status Transfer::keep() {
  if (::fsync(file_.get()) != 0) return fail_errno(Errc::io, errno, path_);
  const std::string blob = cache_.blob_path(download_.digest);
  if (::rename(path_.c_str(), blob.c_str()) != 0) return fail_errno(Errc::io, errno, blob);
  return {};
}

void Transfer::finish(Status status) {
  finished_ = true;
  if (!status) {
    status = tl::unexpected(std::move(status).error().in(download_.what));
    // Only the file under its plain name is continued by a later run.
    const bool plain = path_ == cache_.partial_path(download_.digest);
    const bool worth = plain && received_ > 0 && status.error().code != Errc::not_found;
    if (!path_.empty() && !worth) ::unlink(path_.c_str());
  }
  status_ = std::move(status);
  file_ = Fd();
}

void Transfer::give_up(Error why) {
  request_.close();
  finish(tl::unexpected(std::move(why)));
}

void Transfer::after(Outcome outcome, Error why) {
  if (outcome != Outcome::gone) why = std::move(why).in(download_.urls[attempts_.address()]);
  const bool told = outcome != Outcome::gone && outcome != Outcome::unfounded;
  const Error copy = why;
  if (is_over(policy_)) return finish(tl::unexpected(over()));
  if (!attempts_.after(outcome, std::move(why))) {
    Error last = attempts_.problem();
    if (last.code == Errc::not_found) last.message += download_.if_nowhere;
    return finish(tl::unexpected(std::move(last)));
  }
  not_before_ = Clock::now() + wait_before(attempts_, policy_);
  if (told && observer_.notice) {
    observer_.notice(
        retry_line(download_.what, copy, attempts_, download_.urls[attempts_.address()]));
  }
}

// A whole file of other bytes, one that is too long, a page, or a range the server cannot continue:
// what is here is worth nothing. It may be the fault of an old partial file.
void Transfer::spoiled() {
  const bool fresh = resumed_at_ == 0 || !head_.empty();
  const auto page = web_page(head_);
  if (auto status = restart(); !status) return finish(std::move(status));
  if (!fresh) return after(Outcome::unfounded, {});
  after(Outcome::spoiled,
        {Errc::integrity, 0,
         page ? page_in_place(*page) : "the mirror serves other bytes than its signed index says"});
}

bool Transfer::end(CURLcode code) {
  auto followed = request_.follow(code);
  if (followed && *followed) return true;
  if (!followed) {
    request_.close();
    after(Outcome::refused, std::move(followed.error()));
    return false;
  }
  const long answer = request_.answer();
  auto [outcome, why] = request_.problem(code);
  request_.close();
  if (write_errno_ != 0) {
    const Errc kind = write_errno_ == ENOSPC || write_errno_ == EDQUOT ? Errc::exhausted : Errc::io;
    finish(fail_errno(kind, write_errno_, path_));
    return false;
  }
  const bool whole = code == CURLE_OK && (answer == 200 || answer == 206) && checked_answer_ &&
                     received_ == download_.size.value;
  if (whole && std::move(hash_).finish() == download_.digest) {
    finish(keep());
  } else if (whole || too_long_ || answer == 416 || code == CURLE_BAD_DOWNLOAD_RESUME ||
             web_page(head_)) {
    spoiled();
  } else {
    after(outcome, std::move(why));
  }
  return false;
}

}  // namespace weir::builder
