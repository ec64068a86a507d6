// Asks a TensorFlow library for its devices, which makes it look for GPUs. What it finds, it says in its log.
#include <dlfcn.h>
#include <stdio.h>

#define TAKE(result, name, ...) result (*name)(__VA_ARGS__) = dlsym(library, #name)

int main(int count, char **arguments) {
  void *library = dlopen(arguments[1], RTLD_LAZY | RTLD_GLOBAL);
  if (library == NULL) return puts(dlerror()), 1;
  TAKE(void *, TF_NewStatus, void);
  TAKE(void *, TFE_NewContextOptions, void);
  TAKE(void *, TFE_NewContext, void *, void *);
  TAKE(const char *, TF_Message, void *);
  void *status = TF_NewStatus();
  TFE_NewContext(TFE_NewContextOptions(), status);
  printf("the context: %s\n", TF_Message(status));
  return 0;
}
