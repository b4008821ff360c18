#pragma once
#include "bridge/core/event.h"

namespace trestle {

/// True if some of the event is hidden from who has `hidden`, see PolicyTable::hidden_from().
inline bool is_redacted(const Event& event, Hidden hidden) {
  return hidden != 0 && (event.policy->hidden & hidden) != 0;
}

/// The event as who has `hidden` may see it: itself, or a copy without the members. What is encoded, kept in
/// an outbox or merged for a session comes from here, so it has no other text. nullptr if the payload is no
/// JSON, which the intake lets nobody publish: then nothing of it is shown.
EventPtr redacted(const EventPtr& event, Hidden hidden);

}  // namespace trestle
