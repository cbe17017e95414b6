// hwloc asks udev for the names of disks, which are none of our business; answering that there is no udev, as its
// documentation allows, spares the hosts of a cluster a library.

struct udev;
struct udev_device;

extern "C" {

udev* udev_new() { return nullptr; }

udev* udev_unref(udev*) { return nullptr; }

udev_device* udev_device_new_from_subsystem_sysname(udev*, const char*, const char*) { return nullptr; }

const char* udev_device_get_property_value(udev_device*, const char*) { return nullptr; }

udev_device* udev_device_unref(udev_device*) { return nullptr; }
}
