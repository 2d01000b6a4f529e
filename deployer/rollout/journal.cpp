#include "deployer/rollout/journal.h"

#include <algorithm>

#include "deployer/rollout/journal_fields.h"

namespace weir::deployer {
namespace {

/// What stands first: whose bytes these are.
constexpr char kRecordMark = 'r';
constexpr char kPlanMark = 'p';

template <class T>
std::string encoded(char mark, const T& it) {
  journal::Writer writer;
  writer.raw({&mark, 1});
  writer(kJournalFormat);
  writer(it);
  return std::move(writer).bytes();
}

template <class T>
Result<T> decoded(char mark, std::string_view bytes) {
  if (bytes.empty() || bytes.front() != mark) {
    return fail(Errc::invalid_input, "journal: these bytes are something else");
  }
  journal::Reader reader(bytes.substr(1));
  std::uint8_t format = 0;
  reader(format);
  if (reader.failed().empty() && format != kJournalFormat) {
    return fail(Errc::integrity, "journal: format " + std::to_string(format) +
                                     " is not known to this version, which writes format " +
                                     std::to_string(kJournalFormat));
  }
  T out = journal::Blank<T>::make();
  reader(out);
  if (reader.failed().empty() && !reader.at_end()) reader.refuse("more bytes than it has");
  if (!reader.failed().empty()) {
    return fail(Errc::invalid_input, "journal: " + reader.failed());
  }
  return out;
}

const NodeView* asked(const State& state, CommandId id) {
  for (const auto& [_, view] : state.nodes) {
    if (view.reading == id && id != 0) return &view;
  }
  return nullptr;
}

/// What makes `after` of `before`; both are in order.
PeersChanged difference(const PeerTable& before, const PeerTable& after) {
  PeersChanged out;
  auto old = before.begin();
  for (const manifests::PeerState& peer : after) {
    while (old != before.end() && old->public_key < peer.public_key) {
      out.removed.push_back(old->public_key);
      ++old;
    }
    const bool there = old != before.end() && old->public_key == peer.public_key;
    if (!there || *old != peer) out.put.push_back(peer);
    if (there) ++old;
  }
  for (; old != before.end(); ++old) out.removed.push_back(old->public_key);
  return out;
}

}  // namespace

std::string encode(const JournalRecord& record) {
  return encoded(kRecordMark, record);
}

Result<JournalRecord> decode_record(std::string_view bytes) {
  return decoded<JournalRecord>(kRecordMark, bytes);
}

std::string encode(const Plan& plan) {
  return encoded(kPlanMark, plan);
}

Result<Plan> decode_plan(std::string_view bytes) {
  return decoded<Plan>(kPlanMark, bytes);
}

Event shortened(const State& state, const Event& event) {
  const auto* read = std::get_if<PeersRead>(&event.what);
  const NodeView* view = asked(state, event.echo);
  if (read == nullptr || view == nullptr) return event;
  PeersChanged changes = difference(view->peers, PeerTable(read->dump.peers));
  changes.clock_unix_ns = read->dump.clock_unix_ns;
  return {event.echo, std::move(changes)};
}

Result<State> replay(const Plan& plan, const std::vector<JournalRecord>& records) {
  State state = start(plan);
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Step next = step(plan, state, records[i].event, records[i].now);
    if (next.commands != records[i].commands) {
      return fail(Errc::integrity, "journal: record " + std::to_string(i) +
                                       ": the step orders something else than is written down");
    }
  }
  return state;
}

}  // namespace weir::deployer
