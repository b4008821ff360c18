#include "bridge/core/door.h"

namespace trestle {
namespace {

// Without `default`, here and below: a new door does not compile until it is decided.
bool lets_events_out(Door door) {
  switch (door) {
    case Door::connect:
    case Door::subscribe:
    case Door::renew:
    case Door::snapshot:
    case Door::replay:
    case Door::status: return true;
    case Door::session: return false;
  }
  return false;
}

}  // namespace

std::string_view name_of(Door door) {
  switch (door) {
    case Door::connect: return "connect";
    case Door::subscribe: return "subscribe";
    case Door::renew: return "renew";
    case Door::snapshot: return "snapshot";
    case Door::replay: return "replay";
    case Door::session: return "session";
    case Door::status: return "status";
  }
  return {};
}

bool may_pass(Door door, const Rights& rights, const Pattern& topics) {
  return lets_events_out(door) ? rights.may_read_all(topics) : may_pass(door, rights);
}

bool may_pass(Door door, const Rights& rights, std::string_view topic) {
  return lets_events_out(door) ? rights.may_read(topic) : may_pass(door, rights);
}

bool may_pass(Door door, const Rights& rights) {
  switch (door) {
    case Door::session: return true;  // it says nothing but what the session itself asked for and was given
    case Door::status: return rights.admin || !rights.read.empty();
    case Door::connect:
    case Door::subscribe:
    case Door::renew:
    case Door::snapshot:
    case Door::replay: return false;
  }
  return false;
}

}  // namespace trestle
