#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "proto/types.h"

namespace trestle {

/// The three forms in which a client can receive an event. The payload's bytes are spliced in, never
/// re-serialised.
enum class Form {
  envelope,  ///< {"success":true,"data":<payload>}
  bare,      ///< <payload>
  meta,  ///< {"success":true,"data":<payload>,"meta":{"topic":…,"offset":…,"time":…}}, with "replay":true on
         ///< replays
};

/// What `meta` says of an event. `topic` needs no JSON escaping (see topic.h).
struct Meta {
  std::string_view topic;
  Offset offset = 0;
  Micros time = 0;  ///< when the event was made: the producer's stamp, or its arrival at the bridge
  bool replay = false;
};

/// Appends the encoded form to `out`. `meta` is read for Form::meta only.
void append_form(std::string& out, Form form, std::string_view payload, const Meta& meta);
/// The number of bytes append_form adds for a payload of `payload` bytes.
std::size_t form_size(Form form, std::size_t payload, const Meta& meta);

}  // namespace trestle
