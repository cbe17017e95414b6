#pragma once

#include <memory>
#include <string>

namespace at {
class Tensor;
}

namespace native_ddp {

class MpiBackend;
class MpiThread;

enum class Reduction { kSum, kMaximum };

/**
 * This process's membership in the group of all ranks: an MPI library, the thread that makes its calls, and a
 * c10d::ProcessGroup whose default backend is MpiBackend. Collectives are called by every rank in the same order; they
 * work in place and return when done, throwing what the MPI call failed with.
 */
class MpiGroup {
 public:
  /**
   * Collective. Loads the library, connects to the PMI server, initialises MPI and checks the group: rank and size are
   * those expected, the JVM's signal handlers are in place, no file of the group is left in /dev/shm, and an all-reduce
   * gives what it must. Only once per process, as MPI cannot be initialised twice. Throws std::runtime_error, or
   * std::invalid_argument for arguments that cannot be right; but a failing MPI_Init may end the process itself.
   */
  MpiGroup(const std::string& library, const std::string& pmi_socket, int rank, int world_size);
  ~MpiGroup();
  MpiGroup(const MpiGroup&) = delete;
  MpiGroup& operator=(const MpiGroup&) = delete;

  int rank() const { return rank_; }
  int world_size() const { return world_size_; }
  const std::string& library_version() const { return library_version_; }

  void AllReduce(const at::Tensor& tensor, Reduction reduction);
  void Broadcast(const at::Tensor& tensor, int root);
  void Barrier();

  /**
   * Starts a sum. The result says, once the sum is done, how long it took; getting it throws what went wrong. The
   * tensor's memory stays alive until then.
   */
  class Pending;
  std::unique_ptr<Pending> StartSum(const at::Tensor& tensor);

  /**
   * Collective: a barrier, then MPI_Finalize; where that hangs, the process is free to end without it. Every later call
   * throws std::runtime_error.
   */
  void Close();

 private:
  struct Collectives;

  void Initialise(const std::string& pmi_socket);
  void TestCollectives();
  void LeaveAsItIs();
  Collectives& Open(const char* action) const;

  int rank_;
  int world_size_;
  std::string library_version_;
  std::shared_ptr<const class MpiLibrary> library_;
  std::shared_ptr<MpiThread> thread_;
  std::unique_ptr<Collectives> collectives_;  // null once closed
};

/** A sum that is on its way. */
class MpiGroup::Pending {
 public:
  virtual ~Pending() = default;
  /** Seconds from when all ranks had come. */
  virtual double Wait() = 0;
};

}  // namespace native_ddp
