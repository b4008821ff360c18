#pragma once
#include <array>
#include <string_view>

#include "bridge/core/rights.h"
#include "proto/pattern.h"

namespace trestle {

/// Every place where what a client gets depends on its rights. Whatever else lets data out or in later is one
/// more of these. The test that tries every door with every right reads this list; one name a line.
enum class Door {
  connect,    ///< the topics a client connects with, named or not
  subscribe,  ///< the topics of a `subscribe` request
  renew,      ///< the topics a session holds, when its token changes or is looked up again
  snapshot,   ///< the newest of each `latest` topic, for a topic that is joined without `since`
  replay,     ///< what is kept, for a topic that is joined with `since`
  session,    ///< the `status` request: what a client may know of its own session
  status,     ///< GET /api/status: counters; of topics, producers and sessions what the rights reach
};
inline constexpr std::array kDoors{Door::connect, Door::subscribe, Door::renew, Door::snapshot,
                                   Door::replay,  Door::session,   Door::status};

/// "connect", as in the enumeration.
std::string_view name_of(Door door);

/// The one function that decides what rights are worth. `topics`: what is asked for, at the doors that are
/// about topics; the whole of it must be granted. Pure; any thread.
bool may_pass(Door door, const Rights& rights, const Pattern& topics);
/// The same for what is told of one topic.
bool may_pass(Door door, const Rights& rights, std::string_view topic);
/// The same where no topic is named: `session`, and whether there is a `status` at all. False at the others.
bool may_pass(Door door, const Rights& rights);

}  // namespace trestle
