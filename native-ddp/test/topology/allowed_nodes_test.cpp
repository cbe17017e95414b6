#include "topology/allowed_nodes.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "topology/bitmap.h"

namespace native_ddp {
namespace {

/** Which of the nodes 0 to 15 a process with such a status may use. */
std::string Kept(const std::string& status) {
  const Bitmap nodes;
  hwloc_bitmap_set_range(nodes.get(), 0, 15);
  std::istringstream text(status);
  KeepAllowedNodes(text, nodes.get());
  char list[64];
  hwloc_bitmap_list_snprintf(list, sizeof list, nodes.get());
  return list;
}

std::string Status(const std::string& lines) {
  return "Name:\tjava\nCpus_allowed_list:\t6\nMems_allowed:\t00000000,00000300\n" + lines +
         "voluntary_ctxt_switches:\t12\n";
}

TEST(AllowedNodesTest, TheKernelsListIsKept) {
  EXPECT_EQ(Kept(Status("Mems_allowed_list:\t0\n")), "0");
  EXPECT_EQ(Kept(Status("Mems_allowed_list:\t1,8-9,12\n")), "1,8-9,12");
}

TEST(AllowedNodesTest, NodesThatTheHostLacksAreNotAdded) {
  EXPECT_EQ(Kept(Status("Mems_allowed_list:\t14-127\n")), "14-15");
}

TEST(AllowedNodesTest, AllAreKeptWhereTheKernelDoesNotSay) {
  EXPECT_EQ(Kept(Status("")), "0-15");
  EXPECT_EQ(Kept(""), "0-15");
}

}  // namespace
}  // namespace native_ddp
