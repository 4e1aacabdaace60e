import { ReplicateProvider } from './ReplicateProvider';
export default ReplicateProvider;
