// SPDX-License-Identifier: MIT
// Measures what a preloaded library adds to the start of a process: `start_true COUNT LIBRARY...`
// runs /bin/true COUNT times under each library in turn ("-" for none) and prints, one a line, the
// 5th percentile of each in nanoseconds. The percentile is low, because all that disturbs a start
// makes it longer. This program is not preloaded itself. The libraries take turns, so that they
// meet the same disturbances.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/measure.h"

namespace bufpool::bench {
namespace {

class Candidate {
 public:
  explicit Candidate(std::string_view library) : preload_("LD_PRELOAD=" + std::string(library)) {
    for (char** variable = environ; *variable != nullptr; ++variable) {
      environment_.push_back(*variable);
    }
    if (library != "-") {
      environment_.push_back(preload_.data());
    }
    environment_.push_back(nullptr);
  }
  Candidate(const Candidate&) = delete;
  Candidate& operator=(const Candidate&) = delete;
  ~Candidate() = default;

  // Returns false if the program cannot be started or fails.
  bool start() {
    char program[] = "/bin/true";
    char* arguments[] = {program, nullptr};
    pid_t child = 0;
    int status = 0;
    const double before = now_ns();
    const int error =
        posix_spawn(&child, program, nullptr, nullptr, arguments, environment_.data());
    if (error != 0 || waitpid(child, &status, 0) != child || status != 0) {
      return false;
    }
    taken_.push_back(now_ns() - before);
    return true;
  }

  double fifth_percentile() {
    const auto at = taken_.begin() + static_cast<std::ptrdiff_t>(taken_.size() / 20);
    std::nth_element(taken_.begin(), at, taken_.end());
    return *at;
  }

 private:
  std::string preload_;
  std::vector<char*> environment_;
  std::vector<double> taken_;
};

int run(int count, const std::vector<Candidate*>& candidates) {
  for (int i = 0; i < count; ++i) {
    for (Candidate* const candidate : candidates) {
      if (!candidate->start()) {
        std::fputs("start_true: /bin/true failed\n", stderr);
        return 1;
      }
    }
  }
  for (Candidate* const candidate : candidates) {
    std::printf("%.0f\n", candidate->fifth_percentile());
  }
  return 0;
}

}  // namespace
}  // namespace bufpool::bench

int main(int argc, char** argv) {
  using bufpool::bench::Candidate;
  const int count = argc > 2 ? std::atoi(argv[1]) : 0;
  if (count <= 0) {
    std::fputs("usage: start_true COUNT LIBRARY|- ...\n", stderr);
    return 2;
  }
  std::vector<Candidate*> candidates;
  for (int i = 2; i < argc; ++i) {
    candidates.push_back(new Candidate(argv[i]));
  }
  return bufpool::bench::run(count, candidates);
}
