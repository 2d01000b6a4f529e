# CMake's toolchain of arm64 (cmake-toolchains(7)): Debian's cross compiler, and libraries from a folder of
# that architecture's packages, WEIR_SYSROOT (sysroot.sh).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES WEIR_SYSROOT)
set(CMAKE_SYSROOT ${WEIR_SYSROOT})
set(libraries ${WEIR_SYSROOT}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE})
# Debian's cross compiler brings a C library of its own and takes that before the sysroot's, also for
# -static: these two put the one of the image's Debian, with its security updates, in front.
foreach(language IN ITEMS C CXX)
  set(CMAKE_${language}_FLAGS_INIT "-B${libraries}")
endforeach()
set(CMAKE_EXE_LINKER_FLAGS_INIT "-L${libraries}")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
foreach(kind IN ITEMS LIBRARY INCLUDE PACKAGE)
  set(CMAKE_FIND_ROOT_PATH_MODE_${kind} ONLY)
endforeach()
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${WEIR_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${libraries}/pkgconfig:${WEIR_SYSROOT}/usr/share/pkgconfig)
