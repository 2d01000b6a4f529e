// Stands in for weir-node in one test's image: the real agent, which SIGALRM ends every so often.
#include <unistd.h>

int main() {
  constexpr unsigned kSeconds = 20;
  char path[] = "/usr/lib/weir/weir-node.real";
  char* arguments[] = {path, nullptr};
  ::alarm(kSeconds);  // stays over exec
  ::execv(path, arguments);
  return 126;
}
