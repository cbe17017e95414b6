#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <future>
#include <stdexcept>

#include "message.h"
#include "mpi_ranks.h"
#include "process_group/mpi_library.h"
#include "process_group/mpi_thread.h"
#include "process_group/pmi_client.h"
#include "process_group/shared_memory_files.h"
#include "process_group/signal_handlers.h"
#include "temporary_file.h"

// The parts of the process group that one process can show; what takes several is tested where ranks are started.
namespace native_ddp {
namespace {

template <class Exception, class Call>
std::string Failure(const Call& call) {
  try {
    call();
  } catch (const Exception& error) {
    return error.what();
  }
  return "no exception";
}

/** Why a library is refused. */
std::string Refusal(const std::string& path) {
  return Failure<std::invalid_argument>([&] { MpiLibrary library(path); });
}

/** Why test/fake/mpi.cpp is refused, built as that. */
std::string RefusalOfFake(const std::string& name) {
  const std::string path = FAKE_LIBRARIES + name + ".so";
  const std::string refusal = Refusal(path);
  const std::string start = "Cannot use the MPI library " + path + ": ";
  return refusal.rfind(start, 0) == 0 ? refusal.substr(start.size()) : refusal;
}

TEST(MpiLibraryTest, AFileThatCannotBeLoadedIsNamed) {
  EXPECT_EQ(
      Refusal("/no/such/libmpi.so"),
      "Cannot load the MPI library /no/such/libmpi.so: cannot open shared object file: No such file or directory");
}

TEST(MpiLibraryTest, AFileThatIsNoLibraryIsNamed) {
  const TemporaryFile file;
  std::ofstream(file.path()) << std::string(100, 'x');
  EXPECT_EQ(Refusal(file.path()), "Cannot load the MPI library " + file.path() + ": invalid ELF header");
}

TEST(MpiLibraryTest, ALibraryThatIsNotMpiIsNamedWithTheMissingFunction) {
  EXPECT_EQ(Refusal("libm.so.6"), "Cannot use the MPI library libm.so.6: it has no function MPI_Get_library_version");
}

TEST(MpiLibraryTest, OtherAbisAreRefusedBeforeTheLibraryIsInitialised) {
  EXPECT_EQ(RefusalOfFake("open_mpi"),
            "it is Open MPI v4.1.4, which has another ABI (MPICH's is needed: MPICH, Intel MPI or MVAPICH2)");
  EXPECT_EQ(
      RefusalOfFake("standard_abi"),
      "it is MPICH Version: 5.0.2, which has the standard's ABI (MPICH's is needed: MPICH, Intel MPI or MVAPICH2)");
}

TEST(MpiLibraryTest, AnOldLibraryIsRefusedWithWhatItImplements) {
  EXPECT_EQ(RefusalOfFake("old_mpich"), "MPICH Version: 3.1.4 implements MPI 3.0 (3.1 is needed, as of MPICH 3.2)");
}

TEST(MpiLibraryTest, ALibraryThatLacksAFunctionIsRefusedWithItsName) {
  EXPECT_EQ(RefusalOfFake("half_mpich"), "it has no function MPI_Init_thread");
}

TEST(MpiLibraryTest, ARealLibraryTellsItsVersion) {
  if (MpiLibraryPath().empty()) GTEST_SKIP() << "no MPI library at " << DEFAULT_MPI_LIBRARY << " nor in $MPI_LIBRARY";
  const std::string outcome = RunRanks(1, [](const MpiRank&) {
    const MpiLibrary library(MpiLibraryPath());
    return Message(library.version().empty(), library.standard() >= 31);
  })[0];
  EXPECT_EQ(outcome, "01");
}

/** A Unix socket that listens as long as the object lives. */
class Listener {
 public:
  Listener() : descriptor_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    unlink(file_.path().c_str());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, file_.path().c_str(), sizeof address.sun_path - 1);
    if (bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(descriptor_, 1) != 0) {
      throw std::runtime_error("Cannot listen on " + file_.path());
    }
  }
  ~Listener() { close(descriptor_); }

  const std::string& path() const { return file_.path(); }
  int Accept() const { return accept(descriptor_, nullptr, nullptr); }

 private:
  TemporaryFile file_;
  int descriptor_;
};

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "unset" : value;
}

TEST(PmiClientTest, TheConnectionIsHandedToMpiByTheEnvironment) {
  for (const char* name : {"PMI_PORT", "PMI_ID", "PMIX_RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "HYDI_CONTROL_FD",
                           "I_MPI_PMI_LIBRARY", "PMI_HOSTNAME"}) {
    setenv(name, "inherited", 1);
  }
  const Listener listener;
  ConnectPmi(listener.path(), 3, 8);
  for (const char* name : {"PMI_PORT", "PMI_ID", "PMIX_RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "HYDI_CONTROL_FD",
                           "I_MPI_PMI_LIBRARY"}) {
    EXPECT_EQ(Variable(name), "unset") << name;
  }
  EXPECT_EQ(Variable("PMI_HOSTNAME"), "inherited");
  EXPECT_EQ(Variable("PMI_RANK"), "3");
  EXPECT_EQ(Variable("PMI_SIZE"), "8");
  EXPECT_EQ(Variable("MPIR_CVAR_PMI_VERSION"), "1");
  const int client = std::stoi(Variable("PMI_FD"));
  const int server = listener.Accept();
  ASSERT_EQ(write(client, "cmd", 3), 3);
  char received[3];
  ASSERT_EQ(read(server, received, 3), 3);
  EXPECT_EQ(std::string(received, 3), "cmd");
  close(client);
  close(server);
}

TEST(PmiClientTest, ASocketThatNobodyListensOnIsNamed) {
  EXPECT_EQ(Failure<std::runtime_error>([] { ConnectPmi("/tmp/no-such-socket", 0, 1); }),
            "Cannot connect to the PMI socket /tmp/no-such-socket: No such file or directory");
}

TEST(PmiClientTest, APathLongerThanASocketAddressIsRefused) {
  const std::string path = "/tmp/" + std::string(103, 'x');
  EXPECT_EQ(Failure<std::runtime_error>([&] { ConnectPmi(path, 0, 1); }),
            "Cannot connect to the PMI socket " + path + ": its path has 108 bytes, at most 107 are possible");
}

extern "C" void IgnoreSignal(int) {}

TEST(SignalHandlersTest, HandlersThatWereTakenOverArePutBack) {
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTERM, SIGUSR2}) {
    struct sigaction before{};
    sigaction(number, nullptr, &before);
    {
      const SignalHandlers handlers;
      signal(number, IgnoreSignal);
    }
    struct sigaction after{};
    sigaction(number, nullptr, &after);
    EXPECT_EQ(before.sa_handler, after.sa_handler) << number;
    EXPECT_NE(after.sa_handler, IgnoreSignal) << number;
  }
}

TEST(SignalHandlersTest, OutsideAJvmNobodyNeedsSegmentationFaults) {
  EXPECT_NO_THROW(CheckThatTheJvmHandlesSegmentationFaults());
}

/** A mapped file in /dev/shm. */
class SharedMemory {
 public:
  explicit SharedMemory(const std::string& name) : path_("/dev/shm/" + name + std::to_string(getpid())) {
    std::ofstream(path_) << "content";
    const int descriptor = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    memory_ = mmap(nullptr, 7, PROT_READ, MAP_SHARED, descriptor, 0);
    close(descriptor);
  }
  ~SharedMemory() {
    munmap(memory_, 7);
    unlink(path_.c_str());
  }

  const std::string& path() const { return path_; }
  bool has_name() const { return access(path_.c_str(), F_OK) == 0; }
  bool is_intact() const { return std::memcmp(memory_, "content", 7) == 0; }

 private:
  std::string path_;
  void* memory_;
};

TEST(SharedMemoryFilesTest, NewFilesAndThoseOfMpichLoseTheirNamesButNotTheirContent) {
  const SharedMemory older("native-ddp-older-");
  const SharedMemory mpich_older("mpich_shm_native-ddp-");
  const std::set<std::string> before = MappedSharedMemoryFiles();
  EXPECT_EQ(before.count(older.path()), 1U);
  const SharedMemory newer("native-ddp-newer-");
  UnlinkSharedMemoryFiles(before);
  EXPECT_TRUE(older.has_name());
  EXPECT_FALSE(mpich_older.has_name());
  EXPECT_FALSE(newer.has_name());
  EXPECT_TRUE(newer.is_intact());
  EXPECT_EQ(MappedSharedMemoryFiles().count(newer.path()), 0U);
  EXPECT_NO_THROW(UnlinkSharedMemoryFiles(before));
}

TEST(MpiThreadTest, TasksRunInOrderOnOneThread) {
  MpiThread thread;
  std::vector<int> order;
  std::set<std::thread::id> ids;
  for (int i = 0; i < 100; ++i) {
    thread.Post([&, i] {
      order.push_back(i);
      ids.insert(std::this_thread::get_id());
    });
  }
  thread.Call([] {});
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(ids.size(), 1U);
  EXPECT_NE(*ids.begin(), std::this_thread::get_id());
}

TEST(MpiThreadTest, AnExceptionReachesTheCaller) {
  MpiThread thread;
  EXPECT_THROW(thread.Call([] { throw std::runtime_error("of the task"); }), std::runtime_error);
  thread.Call([] {});
}

TEST(MpiThreadTest, ACallThatTakesLongIsNotWaitedFor) {
  std::promise<void> end;
  std::shared_future<void> ended = end.get_future().share();
  MpiThread thread;
  EXPECT_TRUE(thread.CallWithin(std::chrono::minutes(1), [] {}));
  EXPECT_THROW(thread.CallWithin(std::chrono::minutes(1), [] { throw std::runtime_error("of the task"); }),
               std::runtime_error);
  EXPECT_FALSE(thread.CallWithin(std::chrono::milliseconds(1), [ended] { ended.wait(); }));
  end.set_value();
}

TEST(MpiThreadTest, WhatIsPostedIsDoneBeforeTheThreadEnds) {
  int done = 0;
  {
    MpiThread thread;
    for (int i = 0; i < 10; ++i) thread.Post([&] { ++done; });
  }
  EXPECT_EQ(done, 10);
}

}  // namespace
}  // namespace native_ddp
