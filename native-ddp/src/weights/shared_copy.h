#pragma once

#include <string>

#include "memory/descriptor.h"
#include "weights/weight_source.h"

namespace native_ddp {

/**
 * Memory that processes of a user share under a name and that ends with the last of them, however they end: a memfd,
 * which the later ones open through /proc. Nothing is left to clean up, and neither the size of /dev/shm nor that of
 * any file system bounds it.
 *
 * Whom to ask is known from locks on one file, two bytes for each name: the first is locked to decide who makes the
 * memory, the second by all who have it. The kernel tells the process of such a lock, and drops it with the process.
 * A process drops all its locks when it closes the file anywhere: of several copies in one process only the one that
 * was made last is found by others, who then make another.
 */
class SharedCopy {
 public:
  /** What a process has that shares: to be kept as long as others may ask for the memory. */
  struct Holding {
    Descriptor memory;
    Descriptor lock;
  };

  /**
   * Waits while another process makes the memory of this name. Throws PlacementRefused with what the kernel says.
   *
   * lock_file is created where it is missing, and stays. The name has at most 200 characters. The listener, which may
   * be null, hears of the waiting.
   */
  SharedCopy(const std::string& lock_file, std::string name, WeightListener* listener = nullptr);

  /** For reading, with what another process has made; not open where there is none and this process is to make it. */
  const Descriptor& found() const { return memory_; }

  /** New memory, to be filled before it is published. */
  const Descriptor& Create();

  /** Others may have the memory from now on, found or made; until then they wait. */
  Holding Publish() &&;

 private:
  bool Lock(long byte, short type, int command) const;
  void Wait(WeightListener* listener) const;
  void Find();
  Descriptor OpenThatOf(int process) const;
  [[noreturn]] void Fail(const char* action, int error) const;

  std::string name_;
  Descriptor lock_;
  Descriptor memory_;
  long maker_byte_ = 0;
};

}  // namespace native_ddp
