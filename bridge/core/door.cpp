#include "bridge/core/door.h"

namespace trestle {

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

// Without `default`: a new door does not compile until it is decided here.
bool may_pass(Door door, const Rights& rights, const Pattern& topics) {
  switch (door) {
    case Door::connect:
    case Door::subscribe:
    case Door::renew:
    case Door::snapshot:
    case Door::replay:
    case Door::status: return rights.may_read_all(topics);
    case Door::session: return may_pass(door, rights);
  }
  return false;
}

bool may_pass(Door door, const Rights& rights, std::string_view topic) {
  switch (door) {
    case Door::connect:
    case Door::subscribe:
    case Door::renew:
    case Door::snapshot:
    case Door::replay:
    case Door::status: return rights.may_read(topic);
    case Door::session: return may_pass(door, rights);
  }
  return false;
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
