#!/bin/bash
# boot.sh TREE CGROUP: becomes the systemd of TREE, in namespaces that the caller has made (mount,
# process, network, host name, IPC). CGROUP is a group of version 2 for it alone.
set -euo pipefail
tree=$1
echo $$ >"$2/cgroup.procs"

node() {
    mknod -m 666 "dev/$1" c "$2" "$3"
}

mount --bind "$tree" "$tree"
cd "$tree"
mkdir -p outside dev proc sys run tmp
mount -t proc proc proc
mount -t sysfs sys sys
# The root of a group's namespace is the group.
unshare --cgroup mount -t cgroup2 cgroup sys/fs/cgroup
for place in run tmp dev; do
    mount -t tmpfs -o mode=755 none "$place"
done
chmod 1777 tmp
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 pts dev/pts
mount -t tmpfs shm dev/shm
ln -s pts/ptmx dev/ptmx
node null 1 3
node zero 1 5
node full 1 7
node random 1 8
node urandom 1 9
node tty 5 0
ip link set lo up
pivot_root . outside
umount -l /outside
exec unshare --cgroup env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --log-target=console
