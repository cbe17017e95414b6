#include "mpi_ranks.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "message.h"
#include "process/process_control.h"
#include "process_group/pmi_client.h"
#include "process_group/shared_memory_files.h"
#include "temporary_file.h"

namespace native_ddp {
namespace {

constexpr unsigned kMostSeconds = 120;

/** The PMI-1 server of one group on this host. */
class PmiServer {
 public:
  PmiServer(int size, const std::string& process_mapping)
      : size_(size),
        process_mapping_(process_mapping.empty() ? Message("(vector,(0,1,", size, "))") : process_mapping),
        listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    unlink(file_.path().c_str());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, file_.path().c_str(), sizeof address.sun_path - 1);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener_, size) != 0) {
      throw std::runtime_error("Cannot listen on " + file_.path());
    }
  }
  ~PmiServer() {
    shutdown(listener_, SHUT_RDWR);
    if (accepting_.joinable()) accepting_.join();
    for (std::thread& conversation : conversations_) conversation.join();
    close(listener_);
  }

  const std::string& path() const { return file_.path(); }

  /** Not before the ranks are forked: they should inherit no threads. */
  void Start() {
    accepting_ = std::thread([this] {
      for (int connection = accept(listener_, nullptr, nullptr); connection >= 0;
           connection = accept(listener_, nullptr, nullptr)) {
        conversations_.emplace_back([this, connection] { Serve(connection); });
      }
    });
  }

 private:
  void Serve(int connection) {
    std::string received;
    char buffer[4096];
    for (ssize_t count = read(connection, buffer, sizeof buffer); count > 0;
         count = read(connection, buffer, sizeof buffer)) {
      received.append(buffer, static_cast<std::size_t>(count));
      for (std::size_t end = received.find('\n'); end != std::string::npos; end = received.find('\n')) {
        const std::string answer = Answer(received.substr(0, end)) + "\n";
        received.erase(0, end + 1);
        if (send(connection, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
      }
    }
    close(connection);
    const std::lock_guard<std::mutex> lock(mutex_);
    lost_ = true;  // finalised, or killed: nobody must wait for it
    all_came_.notify_all();
  }

  std::string Answer(const std::string& line) {
    const std::string command = Field(line, "cmd");
    if (command == "init") return "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=0";
    if (command == "get_maxes") return "cmd=maxes kvsname_max=256 keylen_max=64 vallen_max=512";
    if (command == "get_appnum") return "cmd=appnum appnum=0";
    if (command == "get_my_kvsname") return "cmd=my_kvsname kvsname=" + name_;
    if (command == "get_universe_size") return Message("cmd=universe_size size=", size_);
    if (command == "finalize") return "cmd=finalize_ack rc=0";
    if (command == "barrier_in") return AwaitAll();
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::string key = Field(line, "key");
    if (command == "put") {
      keys_[key] = Field(line, "value");
      return "cmd=put_result rc=0 msg=success";
    }
    if (command == "get") {
      if (key == "PMI_process_mapping") {
        return "cmd=get_result rc=0 msg=success value=" + process_mapping_;
      }
      const auto known = keys_.find(key);
      return known == keys_.end() ? "cmd=get_result rc=-1 msg=key_not_found value=unknown"
                                  : "cmd=get_result rc=0 msg=success value=" + known->second;
    }
    return "cmd=" + command + "_result rc=1 msg=unsupported";
  }

  std::string AwaitAll() {
    std::unique_lock<std::mutex> lock(mutex_);
    const int round = arrivals_++ / size_;
    all_came_.notify_all();
    all_came_.wait(lock, [&] { return lost_ || arrivals_ >= (round + 1) * size_; });
    return "cmd=barrier_out rc=0";
  }

  static std::string Field(const std::string& line, const std::string& name) {
    const std::size_t found = (" " + line).find(" " + name + "=");
    if (found == std::string::npos) return "";
    const std::size_t first = found + name.size() + 1;
    return line.substr(first, line.find(' ', first) - first);
  }

  int size_;
  std::string process_mapping_;
  TemporaryFile file_;
  // Names files in /dev/shm, where another test may run at the same time.
  std::string name_ = "test-" + file_.path().substr(file_.path().rfind('-') + 1);
  int listener_;
  std::mutex mutex_;
  std::condition_variable all_came_;
  std::map<std::string, std::string> keys_;
  int arrivals_ = 0;
  bool lost_ = false;
  std::thread accepting_;
  std::vector<std::thread> conversations_;  // of the accepting thread until that has ended
};

std::string Outcome(const std::string& socket, int rank, int size,
                    const std::function<std::string(const MpiRank&)>& body) {
  const std::set<std::string> before = MappedSharedMemoryFiles();
  ConnectPmi(socket, rank, size);
  const auto library = std::make_shared<const MpiLibrary>(MpiLibraryPath());
  int provided = MPI_THREAD_SINGLE;
  library->Check(library->Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided), "initialise MPI");
  library->Check(library->Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "set the error handler");
  MpiCalls calls(library, rank, size);
  calls.Barrier();
  UnlinkSharedMemoryFiles(before);
  std::string outcome = body({rank, size, calls});
  calls.Barrier();
  library->Check(library->Finalize(), "finalise MPI");
  return outcome;
}

[[noreturn]] void BeRank(int result, pid_t parent, const std::string& socket, int rank, int size,
                         const std::function<std::string(const MpiRank&)>& body) {
  std::string outcome;
  try {
    DieWithParent(parent);
    alarm(kMostSeconds);
    outcome = Outcome(socket, rank, size, body);
  } catch (const std::exception& error) {
    outcome = std::string("cannot: ") + error.what();
  }
  const bool written = write(result, outcome.data(), outcome.size()) == static_cast<ssize_t>(outcome.size());
  _exit(written ? 0 : 1);
}

std::string ReadAll(int descriptor) {
  std::string text;
  char buffer[4096];
  for (ssize_t count = read(descriptor, buffer, sizeof buffer); count > 0;
       count = read(descriptor, buffer, sizeof buffer)) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  close(descriptor);
  return text;
}

}  // namespace

std::string MpiLibraryPath() {
  const char* chosen = std::getenv("MPI_LIBRARY");
  const std::string path = chosen == nullptr ? DEFAULT_MPI_LIBRARY : chosen;
  return access(path.c_str(), R_OK) == 0 ? path : "";
}

std::vector<std::string> RunRanks(int size, const std::function<std::string(const MpiRank&)>& body,
                                  const std::string& process_mapping) {
  PmiServer server(size, process_mapping);
  const pid_t parent = getpid();
  fflush(nullptr);
  struct Child {
    pid_t pid;
    int result;
  };
  std::vector<Child> children;
  for (int rank = 0; rank < size; ++rank) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("Cannot create a pipe");
    const pid_t pid = fork();
    if (pid == 0) {
      close(ends[0]);
      BeRank(ends[1], parent, server.path(), rank, size, body);
    }
    close(ends[1]);
    children.push_back({pid, ends[0]});
  }
  server.Start();
  std::vector<std::string> outcomes;
  for (const Child& child : children) {
    const std::string text = ReadAll(child.result);
    int status = 0;
    waitpid(child.pid, &status, 0);
    outcomes.push_back(WIFSIGNALED(status) ? Message("killed by signal ", WTERMSIG(status)) : text);
  }
  return outcomes;
}

}  // namespace native_ddp
