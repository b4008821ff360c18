# find_package(trestle-producer) gives trestle::producer. It needs libzmq (found with pkg-config) and OpenSSL's libcrypto;
# on Debian: apt-get install pkg-config libzmq3-dev libssl-dev
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(OpenSSL COMPONENTS Crypto)
find_dependency(PkgConfig)
pkg_check_modules(trestle_producer_zmq QUIET IMPORTED_TARGET libzmq)
if(NOT trestle_producer_zmq_FOUND)
  set(trestle-producer_FOUND FALSE)
  set(trestle-producer_NOT_FOUND_MESSAGE "libzmq is missing; on Debian: apt-get install libzmq3-dev")
  return()
endif()

if(NOT TARGET trestle::producer)
  include(${CMAKE_CURRENT_LIST_DIR}/trestle-producerTargets.cmake)
  # The libraries are static: what they use has to be linked by whoever links them.
  set_property(TARGET trestle::producer APPEND PROPERTY INTERFACE_LINK_LIBRARIES PkgConfig::trestle_producer_zmq)
  set_property(TARGET trestle::proto APPEND PROPERTY INTERFACE_LINK_LIBRARIES OpenSSL::Crypto)
endif()
