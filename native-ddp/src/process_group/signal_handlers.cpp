#include "process_group/signal_handlers.h"

#include <dlfcn.h>

#include <stdexcept>
#include <string>

#include "message.h"

namespace native_ddp {

SignalHandlers::SignalHandlers() {
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2,
                           SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGCHLD}) {
    Handler handler{signal, {}};
    if (sigaction(signal, nullptr, &handler.action) == 0) handlers_.push_back(handler);
  }
}

void SignalHandlers::Restore() const {
  for (const Handler& handler : handlers_) sigaction(handler.signal, &handler.action, nullptr);
}

void CheckThatTheJvmHandlesSegmentationFaults() {
  void* jvm = dlopen("libjvm.so", RTLD_LAZY | RTLD_NOLOAD);
  if (jvm == nullptr) return;
  dlclose(jvm);
  struct sigaction action{};
  sigaction(SIGSEGV, nullptr, &action);
  Dl_info owner{};
  const bool found = dladdr(reinterpret_cast<void*>(action.sa_sigaction), &owner) != 0 && owner.dli_fname != nullptr;
  const std::string library = found ? owner.dli_fname : "no library";
  if (library.find("libjvm") == std::string::npos && library.find("libjsig") == std::string::npos) {
    throw std::runtime_error(
        Message("Cannot keep the JVM safe: SIGSEGV is handled by ", library, " instead of libjvm.so"));
  }
}

}  // namespace native_ddp
