#pragma once

namespace trestle {

// Of a running process everybody can read the arguments (ps, /proc/PID/cmdline), and its user the
// environment. The kernel shows the memory that the process was started with, so it is there that these
// overwrite tokens. Before threads start, and after the values have been copied.

/// Puts asterisks over the value of each `token` in the query of an address: from `token=` after a ? or & up
/// to the next &, # or white space. The text keeps its length.
void hide_tokens(char* text);

/// Overwrites a variable and removes it.
void wipe_variable(const char* name);

/// The command line's variables, which may also be in trestled's environment: TRESTLE_TOKEN is wiped, and
/// TRESTLE_URL loses its tokens.
void hide_client_variables();

}  // namespace trestle
