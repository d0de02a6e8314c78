// What SCORM 1.2 and 2004 ask of an LMS, answered from memory: the page that has this script around it records nothing.
const heard = {
  "cmi._version": "1.0",
  "cmi.core._children": "",
  "cmi.core.student_id": "",
  "cmi.core.student_name": "",
  "cmi.core.lesson_status": "not attempted",
  "cmi.core.lesson_location": "",
  "cmi.core.lesson_mode": "normal",
  "cmi.core.entry": "ab-initio",
  "cmi.core.credit": "no-credit",
  "cmi.learner_id": "",
  "cmi.learner_name": "",
  "cmi.completion_status": "unknown",
  "cmi.success_status": "unknown",
  "cmi.location": "",
  "cmi.mode": "normal",
  "cmi.entry": "ab-initio",
  "cmi.credit": "no-credit",
  "cmi.suspend_data": "",
  "cmi.launch_data": "",
  "cmi.interactions._count": "0",
  "cmi.objectives._count": "0",
};
const yes = () => "true";
const fine = () => "0";
const nothing = () => "";
const get = (name) => heard[name] ?? "";
const set = (name, value) => {
  heard[name] = String(value);
  return "true";
};
window.API = {
  LMSInitialize: yes,
  LMSFinish: yes,
  LMSCommit: yes,
  LMSGetValue: get,
  LMSSetValue: set,
  LMSGetLastError: fine,
  LMSGetErrorString: nothing,
  LMSGetDiagnostic: nothing,
};
window.API_1484_11 = {
  Initialize: yes,
  Terminate: yes,
  Commit: yes,
  GetValue: get,
  SetValue: set,
  GetLastError: fine,
  GetErrorString: nothing,
  GetDiagnostic: nothing,
};
