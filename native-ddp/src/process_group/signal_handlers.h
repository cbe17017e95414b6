#pragma once

#include <signal.h>

#include <vector>

namespace native_ddp {

/**
 * The process's handlers of the signals that the JVM lives on (null checks are SIGSEGV) or that end the process in good
 * order. Communication libraries take some of them over when they are loaded or initialised.
 */
class SignalHandlers {
 public:
  /** Remembers the handlers that are set now. */
  SignalHandlers();
  /** Puts them back. */
  ~SignalHandlers() { Restore(); }
  SignalHandlers(const SignalHandlers&) = delete;
  SignalHandlers& operator=(const SignalHandlers&) = delete;

  void Restore() const;

 private:
  struct Handler {
    int signal;
    struct sigaction action;
  };

  std::vector<Handler> handlers_;
};

/** In a JVM, throws std::runtime_error naming the owner unless libjvm (or libjsig before it) handles SIGSEGV. */
void CheckThatTheJvmHandlesSegmentationFaults();

}  // namespace native_ddp
