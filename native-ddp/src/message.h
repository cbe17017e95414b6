#pragma once

#include <sstream>
#include <string>

namespace native_ddp {

/** The parts written one after another, for the text of an exception. */
template <class... Parts>
std::string Message(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

}  // namespace native_ddp
