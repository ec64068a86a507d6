#!/bin/bash
# A Slurm cluster of one node on this machine's loopback, for the tests of `gnbench sweep --launcher slurm`:
#   .ci/slurm.sh install          Debian's slurm-wlm and munge
#   .ci/slurm.sh start FOLDER     prints the value for SLURM_CONF; everything it writes is in FOLDER
#   .ci/slurm.sh stop FOLDER
# It runs as root, without accounting, control groups or systemd, and leaves an installed cluster's files alone.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"

install() {
  for program in slurmctld slurmd munged sbatch; do
    command -v $program > /dev/null && continue
    apt-get update -q > /dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends slurm-wlm munge > /dev/null
    return
  done
}

free_port() {
  "${NODE:-node}" -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

start() {
  local folder=$1 cores memory
  mkdir -p "$folder"/{munge,state,spool,log}
  folder=$(cd "$folder" && pwd)
  chmod 755 "$folder" "$folder/munge"
  cores=$(nproc)
  memory=$(awk '/MemTotal/ { print int($2 / 1024 * 0.9) }' /proc/meminfo)
  dd if=/dev/urandom of="$folder/munge/key" bs=1024 count=1 status=none
  chmod 600 "$folder/munge/key"
  munged --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
    --log-file="$folder/log/munged" --seed-file="$folder/munge/seed" --num-threads=2 2> /dev/null
  # cred_expire: a requeued job may start again so many seconds later (two minutes if not said).
  cat > "$folder/slurm.conf" <<END
ClusterName=gnbench
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket,cred_expire=5
CredType=cred/munge
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld
SlurmdLogFile=$folder/log/slurmd
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=10
MinJobAge=3600
SchedulerParameters=sched_interval=5,batch_sched_delay=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
NodeName=localhost NodeAddr=127.0.0.1 CPUs=$cores RealMemory=$memory State=UNKNOWN
PartitionName=test Nodes=localhost Default=YES MaxTime=INFINITE State=UP
END
  export SLURM_CONF="$folder/slurm.conf"
  slurmctld -i
  slurmd -N localhost
  for _ in $(seq 60); do
    if sinfo --noheader --format=%t 2> /dev/null | grep -q '^idle$'; then
      echo "$SLURM_CONF"
      return
    fi
    sleep 0.5
  done
  echo "the cluster did not come up; its last words:" >&2
  tail -n 5 "$folder"/log/* >&2
  stop "$folder"
  exit 1
}

stop() {
  local folder=$1 file pid
  for file in "$folder"/slurmd.pid "$folder"/slurmctld.pid "$folder"/munge/pid; do
    pid=$(cat "$file" 2> /dev/null) || continue
    kill "$pid" 2> /dev/null || continue
    # It still writes its state; whoever stops it may remove the folder next.
    for _ in $(seq 100); do
      kill -0 "$pid" 2> /dev/null || break
      sleep 0.1
    done
    kill -KILL "$pid" 2> /dev/null || true
  done
}

case "${1:-}" in
  install) install ;;
  start) start "${2:?a folder}" ;;
  stop) stop "${2:?a folder}" ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
